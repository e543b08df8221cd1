import { expect, test } from 'vitest';
import { type LockServices, settleContainerLock } from '../../src/lock/settle-container-lock.ts';
import { BuilditError } from '../../src/model/errors.ts';
import type { DebianSourcePin } from '../../src/model/lock.ts';
import { definitionsOf, packageNamed } from '../support/packages.ts';

const GLIBC: DebianSourcePin = {
  name: 'glibc',
  version: '2.36-9',
  format: '3.0 (quilt)',
  suite: 'bookworm',
  archive: 'debian',
  date: '2026-01-01T00:00:00Z',
  files: [],
  binaries: ['nscd', 'libc6-dev', 'libc6', 'libc-bin', 'libc6-udeb', 'glibc-doc'],
  buildDepends: [],
};

/** An archive that has the source, and no binary package of its name. */
const services: LockServices = {
  resolveRoots: async ({ sources }) => ({ set: {}, sources: sources.map(() => GLIBC) }),
  resolveImage: async ({ wants }) => {
    throw new BuilditError('dependency-unsatisfied', `Cannot resolve "debian/${wants[0]!.name}"`);
  },
  pinPatch: () => Promise.reject(new Error('no patch is asked for')),
};

const settle = (binaries: string[]) =>
  settleContainerLock(
    definitionsOf([
      packageNamed('debian-source/glibc', { outputs: 'debs', debianSource: { name: 'glibc', binaries } }),
    ]),
    { existing: undefined, repositoryLocks: {}, mode: { kind: 'use' }, services },
  );

test('a source that makes no binary package of its name says which it makes, those of images first', async () => {
  await expect(settle(['glibc'])).rejects.toMatchObject({
    code: 'definition-invalid',
    message: expect.stringContaining('"glibc" of "debian-source/glibc"'),
    hint: 'choose in pkg.yaml: subpackages: [libc-bin, libc6, nscd] (and 3 more)',
  });
});

test('one that makes what is asked for is resolved for the image', async () => {
  await expect(settle(['libc6'])).rejects.toMatchObject({ message: 'Cannot resolve "debian/libc6"' });
});
