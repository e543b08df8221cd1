import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programPath } from '../../support/requires.ts';

/** Where Debian's libfaketime lies, in the build for programs with several threads; undefined where it is not. */
export function clockLibrary(): string | undefined {
  return readdirSync('/usr/lib')
    .map((directory) => join('/usr/lib', directory, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
}

/** Shows a program the day one year on, and the times of files as they are. */
export function clockOneYearOn(library: string): Readonly<Record<string, string>> {
  return { LD_PRELOAD: library, FAKETIME: '+365d', NO_FAKE_STAT: '1', DONT_FAKE_MONOTONIC: '1' };
}

/**
 * Makes a directory with a `bwrap` that shows everything in a sandbox another clock: the real bubblewrap, given a few
 * more arguments before its `--`. Nothing of buildit knows; to be put first in PATH.
 */
export function bubblewrapWithClock(directory: string, library: string): string {
  const inside = '/run/clock.so';
  const variables = Object.entries(clockOneYearOn(inside)).flatMap(([name, value]) => ['--setenv', name, value]);
  const extra = ['--ro-bind', library, inside, ...variables].map((argument) => `'${argument}'`).join(' ');
  const script = `#!/bin/bash
before=()
while [ "$#" -gt 0 ] && [ "$1" != -- ]; do before+=("$1"); shift; done
if [ "$#" = 0 ]; then exec ${programPath('bwrap')} "\${before[@]}"; fi
exec ${programPath('bwrap')} "\${before[@]}" ${extra} "$@"
`;
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, 'bwrap'), script);
  chmodSync(join(directory, 'bwrap'), 0o755);
  return directory;
}
