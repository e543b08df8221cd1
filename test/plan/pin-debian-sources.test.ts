import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/model/digest.ts';
import type { DebianSourcePin } from '../../src/model/lock.ts';
import { createPlan } from '../../src/plan/create-plan.ts';
import { debianHash } from '../../src/plan/package-inputs.ts';
import { pinDebianSources } from '../../src/plan/pin-debian-sources.ts';
import {
  definitionsOf,
  emptyContainerLock,
  mainRoots,
  packageNamed,
  pinNamed,
  repositoryLock,
  setOf,
} from '../support/packages.ts';

const file = (name: string) => ({ path: `pool/main/r/redis/${name}`, size: 1, sha256: sha256(name) });
const pin = (change: Partial<DebianSourcePin> = {}): DebianSourcePin => ({
  name: 'redis',
  version: '5:7.0-1',
  format: '3.0 (quilt)',
  suite: 'bookworm',
  archive: 'debian',
  date: '2026-01-01T00:00:00Z',
  files: [file('redis_7.0.orig.tar.gz'), file('redis_7.0-1.debian.tar.xz')],
  binaries: ['redis', 'redis-server'],
  buildDepends: ['gcc'],
  ...change,
});
const asked = (binaries = ['redis']) =>
  packageNamed('debian-source/redis', {
    build: ['debian/pkgconf'],
    version: '0',
    debianSource: { name: 'redis', binaries },
    series: 'debian/patches/series',
    outputs: 'debs',
  });
const pinnedWith = (change: Partial<DebianSourcePin>, binaries?: string[]) =>
  pinDebianSources(definitionsOf([asked(binaries)]), { repositories: {}, container: { redis: pin(change) } })
    .packages[0]!;

describe('a Debian source package that a lock pins', () => {
  test('has its version, what it is built with, and stands in for what it makes', () => {
    const { version, dependencies, replaces } = pinnedWith({});
    expect(version).toBe('5:7.0-1');
    expect(dependencies.build.map(({ name }) => name)).toEqual(['gcc', 'pkgconf']);
    expect(replaces.map(({ name }) => name)).toEqual(['redis', 'redis-server']);
  });

  test.each([
    [
      '3.0 (quilt)',
      ['a_1.orig.tar.gz', 'a_1.orig-web.tar.xz', 'a_1-1.debian.tar.xz'],
      ['unpack 1 .', 'unpack 1 web -web', 'unpack 0 . -debian'],
    ],
    ['1.0', ['a_1.orig.tar.gz', 'a_1-1.diff.gz'], ['unpack 1 .', 'patch 1 .']],
    ['1.0', ['a_1.tar.gz'], ['unpack 1 .']],
    ['3.0 (native)', ['a_1.tar.xz'], ['unpack 1 .']],
  ] as const)('of the format %s is laid out from %j', (format, names, layout) => {
    const { sources } = pinnedWith({ format, files: names.map(file) });
    expect(
      sources.map(({ action, strip, directory, clears }) =>
        [action, strip, directory, ...(clears === undefined ? [] : [`-${clears}`])].join(' '),
      ),
    ).toEqual(layout);
  });

  test('has its series applied in the format that has one, as dpkg-source does', () => {
    expect(pinnedWith({}).series).toBe('debian/patches/series');
    expect(pinnedWith({ format: '1.0', files: [file('a_1.tar.gz')] }).series).toBeUndefined();
    expect(pinnedWith({ format: '3.0 (native)', files: [file('a_1.tar.xz')] }).series).toBeUndefined();
  });

  test('is not pinned by what every object has', () => {
    const named = packageNamed('debian-source/constructor', {
      debianSource: { name: 'constructor', binaries: ['constructor'] },
      outputs: 'debs',
    });
    expect(() => pinDebianSources(definitionsOf([named]), { repositories: { main: {} }, container: {} })).toThrowError(
      expect.objectContaining({ code: 'lock-outdated' }),
    );
  });

  test('is outdated without a pin, and refuses a binary package that it does not make', () => {
    const definitions = definitionsOf([asked()]);
    expect(() => pinDebianSources(definitions, { repositories: {}, container: undefined })).toThrowError(
      expect.objectContaining({ code: 'lock-outdated' }),
    );
    expect(() => pinnedWith({}, ['redis-sever'])).toThrowError(
      expect.objectContaining({
        message: expect.stringContaining('"redis-sever"'),
        hint: expect.stringContaining('redis-server'),
      }),
    );
  });

  test('takes the place of the archive’s packages in an image, and of those alone', () => {
    const debian = setOf(
      pinNamed('redis', '5:7.0-1', ['redis-server']),
      pinNamed('redis-server', '5:7.0-1', ['libc6']),
      pinNamed('libc6'),
    );
    const container = { ...emptyContainerLock, debian, sources: { redis: pin() } };
    const pins = { repositories: {}, container: container.sources };
    const plan = createPlan(
      pinDebianSources(definitionsOf([asked()]), pins),
      { repositories: { main: repositoryLock(mainRoots) }, container },
      { contract: 1, generatedFiles: sha256('generated') },
    );
    const [step] = plan.steps;
    expect(plan.requested).toEqual([debianHash(debian.redis!)]);
    expect(plan.imageCandidates).not.toContain(step!.hash);
    expect([...plan.standIns]).toEqual([
      [debianHash(debian.redis!), { hash: step!.hash, output: 'redis' }],
      [debianHash(debian['redis-server']!), { hash: step!.hash, output: 'redis-server' }],
    ]);
  });
});
