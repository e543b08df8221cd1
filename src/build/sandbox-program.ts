import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import type { Platform } from '../model/platform.ts';
import { multiarchTriplet } from '../model/platform.ts';
import { findProgram } from '../system/programs.ts';

/** The oldest bubblewrap that can forbid further user namespaces (`--disable-userns`). */
const OLDEST = [0, 8, 0] as const;

/**
 * The host's bubblewrap where it can be used, else undefined: then buildit takes Debian's from its own store
 * (`bubblewrapInTree`). A set-uid one is passed over, because it cannot forbid user namespaces and would run with more
 * rights than anything here needs.
 */
export function hostBubblewrap(
  find: (name: string) => string | undefined = findProgram,
): readonly string[] | undefined {
  const program = find('bwrap');
  if (program === undefined || (statSync(program).mode & 0o6000) !== 0) return undefined;
  const { stdout } = spawnSync(program, ['--version'], {
    env: {},
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return isUsableBubblewrap(stdout ?? '') ? [program] : undefined;
}

/** Judges what `bwrap --version` says: `bubblewrap 0.8.0`. */
export function isUsableBubblewrap(versionText: string): boolean {
  const numbers = /^bubblewrap ([0-9]+)\.([0-9]+)\.([0-9]+)/.exec(versionText)?.slice(1).map(Number);
  if (numbers === undefined) return false;
  const different = OLDEST.findIndex((oldest, index) => numbers[index] !== oldest);
  return different < 0 || numbers[different]! > OLDEST[different]!;
}

/** A program of a Debian tree as a command for any host: run through the tree's own loader, with its own libraries. */
export function commandInTree(tree: string, program: string, platform: Platform): readonly string[] {
  const triplet = multiarchTriplet(platform);
  const loader = platform.architecture === 'amd64' ? 'ld-linux-x86-64.so.2' : 'ld-linux-aarch64.so.1';
  const libraries = `${tree}/usr/lib/${triplet}`;
  return [`${libraries}/${loader}`, '--library-path', libraries, `${tree}/${program}`];
}

/** Debian's bubblewrap in a tree that holds it, libc6 and its other libraries (`composeRoot` makes one). */
export function bubblewrapInTree(tree: string, platform: Platform): readonly string[] {
  return commandInTree(tree, 'usr/bin/bwrap', platform);
}
