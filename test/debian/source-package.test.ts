import { describe, expect, test } from 'vitest';
import { SOURCE_INDEX } from '../../src/debian/source-index.ts';
import { parseSourcePackages } from '../../src/debian/source-package.ts';

const DIGEST = 'a'.repeat(64);
const STANZA = `Package: redis
Binary: redis, redis-server,
 redis-tools
Version: 5:7.0.15-1
Format: 3.0 (quilt)
Build-Depends: debhelper-compat (= 13),
 libssl-dev
Build-Depends-Indep: python3
Build-Conflicts: nothing
Directory: pool/main/r/redis
Checksums-Sha256:
 ${DIGEST} 100 redis_7.0.15-1.dsc
 ${DIGEST} 200 redis_7.0.15.orig.tar.gz
 ${DIGEST} 30 redis_7.0.15.orig.tar.gz.asc
 ${DIGEST} 40 redis_7.0.15-1.debian.tar.xz
`;

const read = (text: string) => parseSourcePackages(text, 'Sources');

describe('an index of source packages', () => {
  test('gives of each package its files, what it makes and what it is built with', () => {
    const found = read(`${STANZA}\n${STANZA.replace('Package: redis', 'Package: other')}`);
    expect(found.map(({ name }) => name)).toEqual(['redis', 'other']);
    expect(found[0]).toEqual({
      name: 'redis',
      version: '5:7.0.15-1',
      format: '3.0 (quilt)',
      files: ['-1.dsc', '.orig.tar.gz', '-1.debian.tar.xz'].map((end, index) => ({
        path: `pool/main/r/redis/redis_7.0.15${end}`,
        size: [100, 200, 40][index],
        sha256: DIGEST,
      })),
      binaries: ['redis', 'redis-server', 'redis-tools'],
      buildDepends: 'debhelper-compat (= 13), libssl-dev, python3',
      buildConflicts: 'nothing',
    });
  });

  test('is kept so that packages are found by their names and by what they make', () => {
    const other = STANZA.replaceAll('redis', 'valkey');
    const newer = STANZA.replace('5:7.0.15-1\n', '5:8.0.2-1\n');
    const kept = ['', `${STANZA}\n`, `${other}\n${newer}\n`].map((text) => SOURCE_INDEX.toText(text, 'Sources'));
    const index = SOURCE_INDEX.fromText(kept.join(''));
    expect(index.named('redis')).toEqual([...read(STANZA), ...read(newer)]);
    expect(index.named('redi')).toEqual([]);
    expect(index.makerOf('valkey-tools')?.name).toBe('valkey');
    expect(index.makerOf('debhelper-compat')).toBeUndefined();
  });

  test.each([
    ['a path that leaves the pool', 'Directory: pool/main/r/redis', 'Directory: ../../etc'],
    ['a directory elsewhere', 'Directory: pool/main/r/redis', 'Directory: https://example.org'],
    ['a name upwards', 'redis_7.0.15-1.dsc', '../../x.dsc'],
    ['a name with a slash', 'Package: redis', 'Package: ../redis'],
    ['a file in another directory', 'redis_7.0.15-1.dsc', 'x/redis_7.0.15-1.dsc'],
    ['a version that is none', '5:7.0.15-1', '5:7.0 15'],
    ['a binary package that is an option', 'redis-tools', '-rf'],
    ['a short digest', `${DIGEST} 100`, 'abc 100'],
  ])('is refused with %s', (_, from, to) => {
    expect(() => read(STANZA.replace(from, to))).toThrowError(expect.objectContaining({ code: 'input-invalid' }));
  });
});
