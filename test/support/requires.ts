import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from 'vitest';

/** Finds a program in PATH and in the directories of system programs. */
export function programPath(name: string): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export type Requirement = string;

function missing(requirements: readonly Requirement[]): string[] {
  return requirements.filter((requirement) => {
    if (requirement === 'root') return process.getuid?.() !== 0;
    if (requirement === 'ordinary user') return process.getuid?.() === 0;
    if (requirement === 'long tests') return process.env.BUILDIT_LONG_TESTS !== '1';
    if (requirement === 'archive') return process.env.BUILDIT_TEST_OFFLINE === '1';
    if (requirement === 'user namespaces') return spawnSync('unshare', ['-Ur', 'true']).status !== 0;
    return programPath(requirement) === undefined;
  });
}

/**
 * `requires('podman').test('…')`: runs where the named programs are, is skipped with the reason where they are not, and
 * fails in CI, where a missing tool is a mistake of the set-up.
 *
 * Besides names of programs: `root`, `ordinary user`, `archive` (a Debian mirror can be reached), `user namespaces`, and
 * `long tests` (BUILDIT_LONG_TESTS=1).
 */
export function requires(...requirements: Requirement[]): { test: typeof test; describe: typeof describe } {
  const lacking = missing(requirements);
  if (lacking.length === 0) return { test, describe };
  const excusable = ['root', 'ordinary user', 'long tests'];
  if (process.env.CI !== undefined && lacking.some((name) => !excusable.includes(name))) {
    throw new Error(`This machine lacks ${lacking.join(', ')}, which the tests need in CI`);
  }
  const reason = ` (skipped: no ${lacking.join(', ')})`;
  return {
    test: ((name: string, ...rest: unknown[]) => test.skip(name + reason, ...(rest as []))) as unknown as typeof test,
    describe: ((name: string, body: () => void) => describe.skip(name + reason, body)) as unknown as typeof describe,
  };
}
