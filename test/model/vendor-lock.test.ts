import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BuilditError } from '../../src/model/errors.ts';
import { acceptArtefact, artefactPurl, parseArtefactPurl, vendorDirectory } from '../../src/model/registry.ts';
import { parseVendorLock, vendorLockText } from '../../src/model/vendor-lock.ts';

const SHA = 'ab'.repeat(32);

describe('a package URL', () => {
  test.each([
    ['pkg:npm/%40scope/name@1.0.0', undefined, 'buildit-vendor/npm/@scope', 'name-1.0.0.tgz'],
    ['pkg:npm/a.b@1.0.0-rc.1', undefined, 'buildit-vendor/npm', 'a.b-1.0.0-rc.1.tgz'],
    ['pkg:cargo/libc@0.2.71', undefined, 'buildit-vendor/cargo', 'libc-0.2.71.crate'],
    [
      'pkg:golang/github.com/BurntSushi/toml@v1.0.0-RC1',
      undefined,
      'buildit-vendor/go/github.com/!burnt!sushi/toml/@v',
      'v1.0.0-!r!c1.zip',
    ],
    ['pkg:golang/gopkg.in/yaml.v3@v3.0.1#go.mod', undefined, 'buildit-vendor/go/gopkg.in/yaml.v3/@v', 'v3.0.1.mod'],
    ['pkg:golang/x.org/y@v2.0.0%2Bincompatible', undefined, 'buildit-vendor/go/x.org/y/@v', 'v2.0.0+incompatible.zip'],
    ['pkg:pypi/flake8@6.1.0', 'flake8-6.1.0.tar.gz', 'buildit-vendor/python', 'flake8-6.1.0.tar.gz'],
  ])('%s says where a file lies', (purl, file, directory, fileName) => {
    const artefact = parseArtefactPurl(purl, file)!;
    expect(vendorDirectory(artefact)).toBe(directory);
    expect(artefact.fileName).toBe(fileName);
    expect(artefactPurl(artefact)).toBe(purl);
  });

  test.each([
    'pkg:npm/../x@1.0.0',
    'pkg:npm/%2e%2e/x@1.0.0',
    'pkg:npm/%2E%2E%2Fx@1.0.0',
    'pkg:npm/a/b@1.0.0',
    'pkg:npm/%40a/../b@1.0.0',
    'pkg:npm/a@../1.0.0',
    'pkg:npm/a@1.0.0%2F..%2Fx',
    'pkg:npm/a%00@1.0.0',
    'pkg:npm/a@1.0.0#go.mod',
    'pkg:npm/a%zz@1.0.0',
    'pkg:npm/-rf@1.0.0',
    'pkg:cargo/a/b@1.0.0',
    'pkg:cargo/-a@1.0.0',
    'pkg:golang/x.org/-y@v1.0.0',
    'pkg:golang/x.org/.git@v1.0.0',
    'pkg:golang/x.org//y@v1.0.0',
    'pkg:golang/x.org/y/@v1.0.0',
    'pkg:golang/x.org/y@1.0.0',
    'pkg:golang/x.org/y@v1.0.0#../go.mod',
    'pkg:gem/a@1.0.0',
    'pkg:pypi/a@1.0',
    '',
  ])('%j is refused', (purl) => {
    expect(parseArtefactPurl(purl)).toBeUndefined();
  });

  test.each(['../a-1.tar.gz', 'a/b.tar.gz', 'a-1..tar.gz', '.a-1.tar.gz', '-a.whl', 'a.exe', 'a b.whl', 'a\n.whl'])(
    'a Python file called %j is refused',
    (file) => {
      expect(parseArtefactPurl('pkg:pypi/a@1.0', file)).toBeUndefined();
    },
  );

  test('a file of another package is refused', () => {
    const artefact = { ecosystem: 'npm', name: 'a', version: '1.0.0', fileName: 'b-1.0.0.tgz' } as const;
    expect(acceptArtefact(artefact)).toBeUndefined();
    expect(acceptArtefact({ ...artefact, fileName: 'a-1.0.0.tgz' })).toBeDefined();
  });
});

describe('vendor.lock', () => {
  const entry = { name: 'pkg:npm/a@1.0.0', sha256: SHA, size: 7 };
  const lock = (files: readonly unknown[], more: object = {}, version = '1.0') =>
    JSON.stringify({ format: 1, kind: 'vendor', versions: { [version]: { files, from: { npm: SHA }, ...more } } });

  test.each(['app-misc/gron', 'app-misc/hexyl', 'dev-util/flake8', 'www-servers/http-server'])(
    'of %s is read and written again to the same bytes, one line for each file',
    (name) => {
      const text = readFileSync(
        fileURLToPath(new URL(`../../repos/main/${name}/vendor.lock`, import.meta.url)),
        'utf8',
      );
      const parsed = parseVendorLock(text, 'vendor.lock');
      expect(vendorLockText(parsed)).toBe(text);
      const files = [...parsed.values()].flatMap((version) => version.files);
      expect(text.split('\n').filter((line) => line.includes('"sha256"'))).toHaveLength(files.length);
    },
  );

  test('without files is one', () => {
    const text = vendorLockText(new Map([['1.0', { from: { cargo: SHA }, files: [] }]]));
    expect(parseVendorLock(text, 'x').get('1.0')).toEqual({ from: { cargo: SHA }, files: [] });
    expect(parseVendorLock(vendorLockText(new Map()), 'x').size).toBe(0);
  });

  test.each<[string, string, RegExp]>([
    ['no JSON', '{', /expected JSON/],
    ['another kind', '{"format":1,"kind":"container","versions":{}}', /kind "vendor"/],
    ['a later format', '{"format":2,"kind":"vendor","versions":{}}', /format 1/],
    ['a list', '[]', /an object at the top/],
    ['an unknown key', '{"format":1,"kind":"vendor","versions":{},"scripts":{}}', /no keys but format, kind, versions/],
    ['a version that is a path', lock([], {}, '../1'), /versions such as/],
    [
      '__proto__ as a version',
      '{"format":1,"kind":"vendor","versions":{"__proto__":{"files":[],"from":{}}}}',
      /versions such as/,
    ],
    [
      'a path in a name',
      lock([{ ...entry, name: 'pkg:npm/../../x@1.0.0' }]),
      /a package URL of a known registry at versions\.1\.0\.files\[0\]\.name/,
    ],
    ['an address', lock([{ ...entry, url: 'https://x.org' }]), /no keys but file, name, sha256, size/],
    ['half a digest', lock([{ ...entry, sha256: 'ab' }]), /a SHA-256/],
    ['an upper-case digest', lock([{ ...entry, sha256: SHA.toUpperCase() }]), /a SHA-256/],
    ['a digest that is a path', lock([{ ...entry, sha256: '../../etc/passwd' }]), /a SHA-256/],
    ['a negative size', lock([{ ...entry, size: -1 }]), /a number of bytes/],
    ['a size of text', lock([{ ...entry, size: '7' }]), /a number of bytes/],
    ['one file twice', lock([entry, entry]), /each file once/],
    ['another order', lock([{ ...entry, name: 'pkg:npm/b@1.0.0' }, entry]), /in the order of names/],
    ['an unknown ecosystem', lock([], { from: { gem: SHA } }), /no keys but cargo, go, npm, python/],
    ['a source without a digest', lock([], { from: { npm: 'x' } }), /a SHA-256/],
    ['files that are none', lock([], { files: {} }), /a list of at most/],
  ])('is refused with %s', (_, text, message) => {
    try {
      parseVendorLock(text, 'pkgs/a/vendor.lock');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(BuilditError);
      expect((error as BuilditError).code).toBe('definition-invalid');
      expect((error as BuilditError).message).toMatch(/^Cannot read "pkgs\/a\/vendor\.lock": expected /);
      expect((error as BuilditError).message).toMatch(message);
    }
  });
});
