import { describe, expect, test } from 'vitest';
import type { DebianPin, DebianSet } from '../../src/model/lock.ts';
import { imageClosure, RUN_EXCLUSIONS, runDependencies } from '../../src/model/run-exclusions.ts';

function pin(name: string, depends: readonly string[] = [], source = name): DebianPin {
  return {
    name,
    version: '1',
    architecture: 'amd64',
    suite: 'bookworm',
    archive: 'debian',
    date: '2026-01-01T00:00:00Z',
    path: `pool/main/${name}.deb`,
    size: 1,
    sha256: 'ab'.repeat(32),
    depends,
    source: { name: source, version: '1' },
  };
}

const setOf = (...pins: readonly DebianPin[]): DebianSet => Object.fromEntries(pins.map((one) => [one.name, one]));
const names = (set: DebianSet) => Object.keys(set);

describe('imageClosure', () => {
  const set = setOf(
    pin('libssl3', ['debconf', 'libc6']),
    pin('debconf', ['perl-base']),
    pin('perl-base', ['libc6']),
    pin('libc6', ['libgcc-s1']),
    pin('libgcc-s1', ['libc6']),
    pin('other'),
  );

  test('follows what runs, around cycles, and not what only maintainer scripts need', () => {
    expect(names(imageClosure(set, ['libssl3']))).toEqual(['libc6', 'libgcc-s1', 'libssl3']);
  });

  test('whoever names a package gets it, with what it needs', () => {
    expect(names(imageClosure(set, ['libssl3', 'debconf']))).toContain('perl-base');
  });

  test('passes over names that are not in the set', () => {
    expect(imageClosure(set, ['absent', 'constructor'])).toEqual({});
  });
});

describe('runDependencies', () => {
  test('keep what comes from the same source, and what really uses it', () => {
    expect(runDependencies(pin('libpam-systemd', ['systemd'], 'systemd'))).toEqual(['systemd']);
    expect(runDependencies(pin('php-fpm', ['systemd']))).toEqual([]);
    expect(runDependencies(pin('apt', ['dpkg', 'adduser']))).toEqual(['dpkg']);
    expect(runDependencies(pin('gzip', ['dpkg']))).toEqual([]);
  });

  test('leave out nothing that is not in the table', () => {
    const kept = ['libc6', 'libgcc-s1', 'gcc-12-base', 'tzdata', 'perl-base', 'netbase'];
    expect(runDependencies(pin('app', [...kept, ...RUN_EXCLUSIONS]))).toEqual(kept);
  });
});
