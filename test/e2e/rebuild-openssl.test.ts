import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { RevisionChanges } from '../../src/pipeline/compare-revisions.ts';
import { requires } from '../support/requires.ts';
import { installation, runBuildit } from '../support/run-buildit.ts';
import { sharedStore } from '../support/tiny-container.ts';
import { printedEvents } from './support/events.ts';

/** OpenSSL and nginx are compiled, the first of them twice. */
const BUILD_MS = 3_600_000;

const store = sharedStore();
let cwd: string;

const git = (...argv: string[]) => {
  const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...identity, ...argv], { cwd, encoding: 'utf8' });
};
const buildit = (...argv: string[]) =>
  runBuildit(argv, { cwd, environment: { HOME: cwd, BUILDIT_STORE: store.path() } });
const recipe = () => join(cwd, 'repos/main/dev-libs/openssl/pkg.yaml');
const commit = () => {
  git('add', '--all');
  git('commit', '--quiet', '--message=next');
};

/** The recipes and the example as they are, in a git repository of their own. */
beforeAll(() => {
  cwd = join(store.path(), '..', 'work');
  mkdirSync(cwd);
  cpSync(join(installation, 'repos'), join(cwd, 'repos'), { recursive: true });
  cpSync(join(installation, 'examples/nginx-prod'), join(cwd, 'nginx-prod'), {
    recursive: true,
    filter: (path) => path !== join(installation, 'examples/nginx-prod/out'),
  });
  writeFileSync(join(cwd, '.gitignore'), 'out\n');
  writeFileSync(join(cwd, '.buildit-config.yaml'), 'recipes: [{ name: main, path: ./repos/main }]\n');
  git('init', '--quiet', '--initial-branch=main');
  commit();
});

/** Of a change to a recipe's script that does not change what the script does. */
function sayBetter(): void {
  const text = readFileSync(recipe(), 'utf8');
  writeFileSync(recipe(), text.replace('    make install_sw', '    : that is all of it\n    make install_sw'));
}

const { describe } = requires('git');

describe('a change to OpenSSL', () => {
  const changes = async () => {
    const { stdout } = await buildit('plan', '--json', '--changed=HEAD..', 'repos/main');
    return (JSON.parse(stdout) as RevisionChanges).directories[0]!;
  };

  test('that is a comment changes none of the recipes', async () => {
    appendFileSync(recipe(), '# said better\n');
    expect((await changes()).packages).toEqual([]);
    commit();
  });

  test('reaches what is linked to it, nginx in both versions, because of it alone', async () => {
    sayBetter();
    const { packages, unchanged } = await changes();
    const libraries = packages.filter(({ name }) => name === 'dev-libs/openssl');
    const dependants = packages.filter((one) => !libraries.includes(one));
    expect(packages[0]).toBe(libraries[0]);
    expect(libraries.map(({ version }) => version).sort()).toEqual(['3.0.20', '3.5.7']);
    for (const library of libraries) expect(library).toMatchObject({ kind: 'own', inputs: ['phases.install'] });
    for (const { kind, becauseOf } of dependants) {
      expect({ kind, becauseOf }).toEqual({ kind: 'dependency', becauseOf: ['dev-libs/openssl'] });
    }
    const names = dependants.map(({ name, version }) => `${name}-${version}`);
    expect(names).toEqual(expect.arrayContaining(['www-servers/nginx-1.26.3', 'www-servers/nginx-1.22.1']));
    expect(unchanged).toBeGreaterThan(packages.length);
    git('checkout', '--quiet', '.');
  });
});

requires('long tests', 'archive', 'user namespaces', 'bwrap', 'tar', 'git').test(
  'a change to OpenSSL that gives the same output compiles OpenSSL alone; nginx is found by what it was built with',
  async () => {
    const told = async (...argv: string[]) => {
      const { exitCode, stderr } = await buildit(...argv, '--progress=json');
      expect(exitCode, stderr).toBe(0);
      const events = printedEvents(stderr);
      const labels = new Map(
        events.flatMap((event) => (event.kind === 'package-started' ? [[event.hash, event.label] as const] : [])),
      );
      const named = (kind: 'package-built' | 'package-found') =>
        events.flatMap((event) =>
          event.kind === kind ? [/openssl|nginx/.exec(labels.get(event.hash)!)?.[0] ?? []] : [],
        );
      return { built: named('package-built').flat(), found: named('package-found').flat() };
    };
    expect(await told('build', 'nginx-prod')).toEqual({ built: ['openssl', 'nginx'], found: [] });
    const index = readFileSync(join(cwd, 'nginx-prod/out/oci/index.json'), 'utf8');
    commit();
    sayBetter();
    const { stdout } = await buildit('rebuild', '--affected-by=HEAD..', '--dry-run', 'nginx-prod');
    expect(stdout).toContain('2 packages affected in 1 of 1 containers: 2 to build\n');
    expect(await told('rebuild', '--affected-by=HEAD..', 'nginx-prod')).toEqual({
      built: ['openssl'],
      found: ['nginx'],
    });
    expect(readFileSync(join(cwd, 'nginx-prod/out/oci/index.json'), 'utf8')).toBe(index);
  },
  BUILD_MS,
);
