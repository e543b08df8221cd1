import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BuilditError } from '../../src/model/errors.ts';
import { artefactPurl } from '../../src/model/registry.ts';
import { choosePythonFile } from '../../src/registry/choose-python-file.ts';
import type { LockedArtefact } from '../../src/registry/locked-artefact.ts';
import { readCargoLock } from '../../src/registry/read-cargo-lock.ts';
import { readGoSum } from '../../src/registry/read-go-sum.ts';
import { readPackageLock } from '../../src/registry/read-package-lock.ts';
import { readRequirements } from '../../src/registry/read-requirements.ts';
import { parseSimpleIndex } from '../../src/registry/simple-index.ts';

const HEX = 'ab'.repeat(32);
const SHA512 = `sha512-${Buffer.alloc(64, 7).toString('base64')}`;
const H1 = `h1:${Buffer.alloc(32, 7).toString('base64')}`;
const shipped = (path: string) =>
  readFileSync(fileURLToPath(new URL(`../../repos/main/${path}`, import.meta.url)), 'utf8');
const named = (text: string) => ({ text, name: 'the lock file' });
const purls = (found: readonly LockedArtefact[]) => found.map(({ artefact }) => artefactPurl(artefact));

function refusal(read: () => unknown): BuilditError {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(BuilditError);
    expect((error as BuilditError).code).toBe('input-invalid');
    return error as BuilditError;
  }
  throw new Error('nothing was refused');
}

describe('package-lock.json', () => {
  const lock = (packages: Readonly<Record<string, unknown>>) =>
    named(JSON.stringify({ lockfileVersion: 3, packages: { '': { name: 'x' }, ...packages } }));
  const sound = { version: '1.0.0', integrity: SHA512 };

  test('of a shipped recipe names each package once, with its SHA-512', () => {
    const found = readPackageLock(named(shipped('www-servers/http-server/files/package-lock.json')));
    expect(purls(found)).toContain('pkg:npm/http-proxy@1.18.1');
    expect(found.every(({ checksum }) => checksum.kind === 'sha512')).toBe(true);
    expect(new Set(purls(found)).size).toBe(found.length);
  });

  test('knows scopes, aliases and packages below packages; development, links and bundled ones are left out', () => {
    const found = readPackageLock(
      lock({
        'node_modules/@a/b': sound,
        'node_modules/c/node_modules/d': { ...sound, version: '2.0.0-rc.1' },
        'node_modules/alias': { ...sound, name: 'real' },
        'node_modules/e': { ...sound, dev: true },
        'node_modules/f': { resolved: 'packages/f', link: true },
        'node_modules/g/node_modules/h': { version: '1.0.0', inBundle: true },
        'packages/f': { version: '1.0.0' },
      }),
    );
    expect(purls(found)).toEqual(['pkg:npm/%40a/b@1.0.0', 'pkg:npm/d@2.0.0-rc.1', 'pkg:npm/real@1.0.0']);
  });

  test('keeps apart what reads the same when written together', () => {
    const found = readPackageLock(
      lock({
        'node_modules/foo': { ...sound, version: '11.0.0' },
        'node_modules/foo1': { ...sound, version: '1.0.0' },
      }),
    );
    expect(purls(found)).toEqual(['pkg:npm/foo@11.0.0', 'pkg:npm/foo1@1.0.0']);
  });

  test.each<[string, unknown, RegExp]>([
    ['a name that leaves its directory', { 'node_modules/../../etc/x': sound }, /a package of the registry/],
    ['a name of dots', { 'node_modules/..': sound }, /a package of the registry/],
    ['an alias to a path', { 'node_modules/a': { ...sound, name: '../a' } }, /a package of the registry/],
    ['a version that is a path', { 'node_modules/a': { ...sound, version: '../1.0.0' } }, /a package of the registry/],
    [
      'a version that is an address',
      { 'node_modules/a': { ...sound, version: 'git+ssh://x/y' } },
      /a package of the reg/,
    ],
    ['a name with a newline', { 'node_modules/a\nb': sound }, /a package of the registry/],
    ['a SHA-1 alone', { 'node_modules/a': { ...sound, integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' } }, /SHA-512/],
    [
      'no checksum',
      { 'node_modules/a': { version: '1.0.0' } },
      /a SHA-512 as "integrity" at "node_modules\/a", found none/,
    ],
    ['no version', { 'node_modules/a': { integrity: SHA512 } }, /a name and a version/],
    ['null', { 'node_modules/a': null }, /an object/],
    [
      'two checksums of one package',
      {
        'node_modules/a': sound,
        'node_modules/b/node_modules/a': { ...sound, integrity: `sha512-${Buffer.alloc(64, 8).toString('base64')}` },
      },
      /one checksum of pkg:npm\/a@1\.0\.0, found two/,
    ],
  ])('is refused with %s', (_, packages, message) => {
    expect(refusal(() => readPackageLock(lock(packages as Readonly<Record<string, unknown>>))).message).toMatch(
      message,
    );
  });

  test.each(['', '[]', 'null', '{"lockfileVersion": 1, "dependencies": {}}', '{"packages": []}', '{"packages": "x"}'])(
    'is refused where it is %j',
    (text) => {
      refusal(() => readPackageLock(named(text)));
    },
  );
});

describe('Cargo.lock', () => {
  const crate = (more: string) => named(`version = 3\n\n[[package]]\nname = "a"\nversion = "1.0.0"\n${more}`);
  const source = 'source = "registry+https://index.example.org/"\n';

  test('names the crates of the registry with their checksums; the project itself has none', () => {
    const found = readCargoLock(
      named(
        [
          '# This file is automatically @generated by Cargo.',
          'version = 3',
          '[[package]]\nname = "mine"\nversion = "0.1.0"\ndependencies = [\n "a",\n "b_c 2.0.0+x",\n]',
          `[[package]]\nname = "a"\nversion = "1.0.0"\n${source}checksum = "${HEX}"`,
          `[[package]]\nname = "b_c"\nversion = "2.0.0+x"\n${source}checksum = "${HEX}"\ndependencies = [\n "a",\n]`,
          '',
        ].join('\n\n'),
      ),
    );
    expect(purls(found)).toEqual(['pkg:cargo/a@1.0.0', 'pkg:cargo/b_c@2.0.0%2Bx']);
    expect(found[0]!.checksum).toEqual({ kind: 'sha256', hex: HEX });
  });

  test('of the first version has its checksums at the end', () => {
    const text = `[[package]]\nname = "a"\nversion = "1.0.0"\n${source}\n[metadata]\n"checksum a 1.0.0 (registry+https://index.example.org/)" = "${HEX}"\n`;
    expect(readCargoLock(named(text))).toMatchObject([{ checksum: { hex: HEX } }]);
  });

  test.each<[string, { text: string; name: string }, RegExp]>([
    [
      'a crate from git',
      crate('source = "git+https://example.org/a#123"\n'),
      /crates of one registry, found a from git/,
    ],
    ['no checksum', crate(source), /the checksum of a, found none/],
    ['half a checksum', crate(`${source}checksum = "abcd"\n`), /the checksum of a, found abcd/],
    [
      'a name that is a path',
      named(`[[package]]\nname = "../a"\nversion = "1.0.0"\n${source}checksum = "${HEX}"`),
      /a crate of a registry/,
    ],
    [
      'a version that is a path',
      named(`[[package]]\nname = "a"\nversion = "1/../2"\n${source}checksum = "${HEX}"`),
      /a crate of a registry/,
    ],
    ['two checksums', crate(`${source}checksum = "${HEX}"\nchecksum = "${HEX}"\n`), /"checksum" once/],
    [
      'two registries',
      crate(
        `${source}checksum = "${HEX}"\n[[package]]\nname = "b"\nversion = "1.0.0"\nsource = "registry+https://other.example.org/"\nchecksum = "${HEX}"\n`,
      ),
      /crates of one registry/,
    ],
    ['something cargo never writes', crate('checksum = """x"""\nodd\n'), /a line as cargo writes them/],
    ['a package without a name', named('[[package]]\nversion = "1.0.0"\n'), /a name and a version/],
  ])('is refused with %s', (_, text, message) => {
    const error = refusal(() => readCargoLock(text));
    expect(error.message).toMatch(message);
    expect(error.position!.line).toBeGreaterThan(0);
  });
});

describe('go.sum', () => {
  test('names modules and single go.mod files', () => {
    const found = readGoSum(named(`github.com/BurntSushi/toml v1.2.0 ${H1}\ngopkg.in/yaml.v3 v3.0.1/go.mod ${H1}\n`));
    expect(purls(found)).toEqual([
      'pkg:golang/github.com/BurntSushi/toml@v1.2.0',
      'pkg:golang/gopkg.in/yaml.v3@v3.0.1#go.mod',
    ]);
    expect(found.map(({ artefact }) => artefact.fileName)).toEqual(['v1.2.0.zip', 'v3.0.1.mod']);
  });

  test.each<[string, string, RegExp]>([
    ['a path upwards', `github.com/../x v1.0.0 ${H1}`, /a module and its version/],
    ['an absolute path', `/etc/passwd v1.0.0 ${H1}`, /a module and its version/],
    ['no host', `x v1.0.0 ${H1}`, /a module and its version/],
    ['a version that is a branch', `example.org/x master ${H1}`, /MODULE VERSION h1:HASH/],
    ['another hash', 'example.org/x v1.0.0 h2:abc', /MODULE VERSION h1:HASH/],
    [
      'two checksums of one file',
      `example.org/x v1.0.0 ${H1}\nexample.org/x v1.0.0 h1:${'A'.repeat(43)}=`,
      /one checksum/,
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(refusal(() => readGoSum(named(text))).message).toMatch(message);
  });
});

describe('requirements.txt', () => {
  test('names packages by the name the index knows, with every hash', () => {
    const text = `# tools\nRuamel.Yaml[jinja2]==0.17.21 ; python_version >= "3.8" \\\n    --hash=sha256:${HEX} \\\n    --hash=sha256:${'cd'.repeat(32)}  # two files\n`;
    expect(readRequirements(named(text))).toEqual([
      { name: 'ruamel-yaml', version: '0.17.21', digests: [HEX, 'cd'.repeat(32)] },
    ]);
    expect(readRequirements(named(shipped('dev-util/flake8/files/6.1.0/requirements.txt')))).toHaveLength(3);
  });

  test.each<[string, string, RegExp]>([
    ['no hash', 'a==1.0', /a hash of a, found none/],
    ['an MD5', 'a==1.0 --hash=md5:0123', /--hash=sha256/],
    ['another relation', `a>=1.0 --hash=sha256:${HEX}`, /NAME==VERSION/],
    ['an option', `--index-url https://example.org\na==1.0 --hash=sha256:${HEX}`, /NAME==VERSION/],
    ['another file', '-r other.txt', /NAME==VERSION/],
    ['an address', `a @ https://example.org/a.whl --hash=sha256:${HEX}`, /NAME==VERSION/],
    ['a path', `../a==1.0 --hash=sha256:${HEX}`, /NAME==VERSION/],
    ['a version that is a path', `a==1/../../2 --hash=sha256:${HEX}`, /a package and its version/],
    ['one package twice', `a==1.0 --hash=sha256:${HEX}\nA==1.1 --hash=sha256:${HEX}`, /A once/],
  ])('is refused with %s', (_, text, message) => {
    expect(refusal(() => readRequirements(named(text))).message).toMatch(message);
  });

  const requirement = { name: 'a', version: '1.0', digests: [HEX] };
  const file = (fileName: string, sha256 = HEX) => ({ fileName, url: `https://example.org/${fileName}`, sha256 });

  test('takes the source archive that a hash pins, else a wheel for every platform', () => {
    const wheel = file('a-1.0-py3-none-any.whl');
    const chosen = (...files: readonly ReturnType<typeof file>[]) =>
      choosePythonFile(requirement, files).artefact.fileName;
    expect(chosen(wheel, file('a-1.0.tar.gz'))).toBe('a-1.0.tar.gz');
    expect(chosen(wheel, file('a-1.0.tar.gz', 'cd'.repeat(32)))).toBe('a-1.0-py3-none-any.whl');
    refusal(() => chosen(file('a-1.0-cp311-cp311-manylinux_2_17_x86_64.whl')));
    refusal(() => chosen(file('../a-1.0.tar.gz')));
    refusal(() => chosen());
  });
});

describe("a page of Python's index", () => {
  test('is read in JSON and in HTML alike', () => {
    const url = `https://files.example.org/a-1.0.tar.gz`;
    const wanted = [{ fileName: 'a-1.0.tar.gz', url, sha256: HEX }];
    const json = JSON.stringify({
      files: [{ filename: 'a-1.0.tar.gz', url, hashes: { sha256: HEX } }, null, { url: 7 }],
    });
    expect(parseSimpleIndex(json, 'https://example.org/a/')).toEqual(wanted);
    const html = `<a data-x="1" href="https://files.example.org/a-1.0.tar.gz#sha256=${HEX}">a-1.0.tar.gz</a><br/>`;
    expect(parseSimpleIndex(html, 'https://example.org/a/')).toEqual(wanted);
    expect(parseSimpleIndex('<a href="../../f/a-1.tar.gz">a-1.tar.gz</a>', 'https://example.org/simple/a/')).toEqual([
      { fileName: 'a-1.tar.gz', url: 'https://example.org/f/a-1.tar.gz', sha256: undefined },
    ]);
  });

  test('leads neither to files of this machine nor down from https', () => {
    const html =
      '<a href="file:///etc/passwd">a-1.tar.gz</a><a href="http://x.org/a">a-1.tar.gz</a><a href="javascript:x">b</a>';
    expect(parseSimpleIndex(html, 'https://example.org/a/')).toEqual([]);
  });
});
