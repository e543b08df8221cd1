import { describe, expect, test } from 'vitest';
import { lockText } from '../../src/lock/lock-file.ts';
import { parseContainerLock, parseRepositoryLock } from '../../src/lock/parse-lock.ts';
import { emptyContainerLock, mainRoots, pinNamed, repositoryLock, setOf } from '../support/packages.ts';

describe('a lock', () => {
  test('reads back as it was written', () => {
    const container = {
      ...emptyContainerLock,
      debian: mainRoots,
      layers: [['a/b', 'c/d']],
      versions: { 'a/b': '1.0' },
    };
    expect(parseContainerLock(lockText(container), 'buildit.lock')).toEqual(container);
    expect(parseRepositoryLock(lockText(repositoryLock()), 'buildit.lock')).toEqual(repositoryLock());
  });

  test('is the same text whatever the order of its keys was', () => {
    const backwards = setOf(...Object.values(mainRoots).reverse());
    expect(lockText(repositoryLock(backwards))).toBe(lockText(repositoryLock()));
  });

  const hostile: [string, Record<string, unknown>][] = [
    ['a path that climbs out of the archive', { path: 'pool/../../etc/passwd.deb' }],
    ['an absolute path', { path: '/etc/passwd.deb' }],
    ['a path that is not a .deb', { path: 'pool/main/a/a.tar' }],
    ['a name with a slash', { name: 'a/b' }],
    ['a name like an option', { name: '--root' }],
    ['a short digest', { sha256: 'abc' }],
    ['an upper-case digest', { sha256: 'A'.repeat(64) }],
    ['a size below zero', { size: -1 }],
    ['an archive that is a URL', { archive: 'http://elsewhere' }],
    ['a suite with a slash', { suite: 'bookworm/../x' }],
    ['dependencies that are no names', { depends: ['$(id)'] }],
    ['a date of another form', { date: 'yesterday' }],
  ];
  test.each(hostile)('is refused with %s', (_, change) => {
    const lock = { ...emptyContainerLock, debian: { a: { ...pinNamed('aa'), ...change } } };
    expect(() => parseContainerLock(JSON.stringify(lock), 'buildit.lock')).toThrowError(
      expect.objectContaining({ code: 'definition-invalid' }),
    );
  });

  test.each(['', '[]', 'null', '{}', '{"format":2}', '{"format":1,"kind":"repository"}'])(
    'is refused when it is %j',
    (text) => {
      expect(() => parseContainerLock(text, 'buildit.lock')).toThrowError(
        expect.objectContaining({ code: 'definition-invalid', hint: expect.any(String) }),
      );
    },
  );
});
