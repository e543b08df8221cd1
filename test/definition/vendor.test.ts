import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readVendorRecipe } from '../../src/definition/read-vendor-recipe.ts';
import { sha256 } from '../../src/model/digest.ts';
import { vendorLockText } from '../../src/model/vendor-lock.ts';
import { DIGEST, type Files, mistakesOf, packageOf, project, readFiles } from './project.ts';

const recipe = (source: string, more = '', versions = `versions: {1.0.0: {sha256: ${DIGEST}}}`): string =>
  `name: a/b\n${versions}\nsource: ${source}\nclass: make\n${more}`;
const files = (text: string, more: Files = {}): Files => ({ 'pkgs/nginx/pkg.yaml': text, ...more });

async function sourcesOf(text: string, more: Files = {}) {
  return packageOf(await readFiles(files(text, more)), 'a/b').sources;
}

describe('a source of a registry', () => {
  test.each([
    ['{npm: http-server}', 'npm', 'http-server', '1.0.0', 'http-server-1.0.0.tgz', 1],
    ['{npm: "@s/a", version: 2.0.0}', 'npm', '@s/a', '2.0.0', 'a-2.0.0.tgz', 1],
    ['{crate: "{{name}}"}', 'cargo', 'b', '1.0.0', 'b-1.0.0.crate', 1],
    ['{pypi: Zope.Interface}', 'python', 'Zope.Interface', '1.0.0', 'zope_interface-1.0.0.tar.gz', 1],
    ['{pypi: a, filename: A-1.0.0.tar.gz}', 'python', 'a', '1.0.0', 'A-1.0.0.tar.gz', 1],
    ['{go: github.com/BurntSushi/toml}', 'go', 'github.com/BurntSushi/toml', 'v1.0.0', 'v1.0.0.zip', 3],
  ])('%s is unpacked as the main source', async (source, ecosystem, name, version, fileName, strip) => {
    const [found] = await sourcesOf(recipe(source));
    expect(found).toEqual({
      location: { kind: 'registry', artefact: { ecosystem, name, version, fileName } },
      sha256: DIGEST,
      fileName,
      action: 'unpack',
      strip,
      directory: '.',
    });
  });

  test.each<[string, string, RegExp]>([
    [
      'a path',
      recipe('{npm: ../x}'),
      /pkgs\/nginx\/pkg\.yaml:3:15 Cannot read "source\.npm": expected the name of a package there/,
    ],
    ['a path upwards', recipe('{go: github.com/../x}'), /Cannot read "source\.go"/],
    ['an option', recipe('{crate: --help}'), /Cannot read "source\.crate"/],
    ['a version it cannot have', recipe('{npm: a, version: "1/2"}'), /version 1\/2 to be one it could have/],
    ['an address too', recipe('{npm: a, url: "https://x.org/a.tgz"}'), /expected "npm" without "url"/],
    ['two registries', recipe('{npm: a, crate: a}'), /without .* other registries/],
    ['no digest', recipe('{npm: a}', '', 'version: 1.0.0'), /expected the SHA-256 of the file, found none/],
    ['another file name', recipe('{pypi: a, filename: ../a.tar.gz}'), /Cannot read "source\.pypi"/],
  ])('is refused with %s', async (_, text, message) => {
    expect((await mistakesOf(project(files(text)))).join('\n')).toMatch(message);
  });
});

describe('a recipe with lock files of languages', () => {
  const text = '{}\n';
  const lock = (from = sha256(text), version = '1.0.0') =>
    vendorLockText(
      new Map([
        [
          version,
          {
            from: { npm: from },
            files: [
              {
                artefact: { ecosystem: 'npm', name: '@s/a', version: '2.0.0', fileName: 'a-2.0.0.tgz' },
                sha256: 'cd'.repeat(32),
                size: 7,
              },
            ],
          },
        ],
      ]),
    );
  const beside = recipe('{npm: b}', 'vendor: {ecosystem: npm, file: files/package-lock.json}\n');
  const all = (vendorLock = lock()): Files => ({
    'pkgs/nginx/files/package-lock.json': text,
    'pkgs/nginx/vendor.lock': vendorLock,
  });

  test('has what vendor.lock pins among its sources, where its tool looks for it', async () => {
    const [main, vendored] = await sourcesOf(beside, all());
    expect(main!.directory).toBe('.');
    expect(vendored).toMatchObject({
      location: { kind: 'registry', artefact: { name: '@s/a' }, size: 7 },
      sha256: 'cd'.repeat(32),
      action: 'keep',
      directory: 'buildit-vendor/npm/@s',
      fileName: 'a-2.0.0.tgz',
    });
  });

  test('inside its main source goes by the digest of that', async () => {
    const inside = recipe('{npm: b}', 'vendor: {ecosystem: npm}\n');
    expect(await sourcesOf(inside, all(lock(DIGEST)))).toHaveLength(2);
    const [mistake] = await mistakesOf(project(files(inside, all(lock()))));
    expect(mistake).toMatch(
      /^lock-outdated .*found one that was made from another lock file or source \| buildit lock --vendor .*pkgs\/nginx/,
    );
  });

  test.each<[string, string, Files, RegExp]>([
    [
      'without vendor.lock',
      beside,
      { 'pkgs/nginx/files/package-lock.json': text },
      /lock-outdated .*expected vendor\.lock beside pkg\.yaml, found none \| buildit lock --vendor/,
    ],
    [
      'whose lock file changed',
      beside,
      { ...all(), 'pkgs/nginx/files/package-lock.json': '{"x": 1}' },
      /lock-outdated .*another lock file or source/,
    ],
    [
      'at a version that is not pinned',
      beside,
      all(lock(sha256(text), '0.9')),
      /lock-outdated .*expected vendor\.lock to pin version 1\.0\.0, found none/,
    ],
    [
      'without the lock file it names',
      beside,
      { 'pkgs/nginx/vendor.lock': lock() },
      /file-missing .*"files\/package-lock\.json" as "vendor\.file"/,
    ],
    [
      'with a lock file outside',
      recipe('{npm: b}', 'vendor: {ecosystem: npm, file: ../../container.yaml}\n'),
      all(),
      /stays inside the directory/,
    ],
    [
      'with a lock file that is none of its files',
      recipe('{npm: b}', 'vendor: {ecosystem: npm, file: pkg.yaml}\n'),
      all(),
      /expected a file below files\//,
    ],
    [
      'with both places',
      recipe('{npm: b}', 'vendor: {ecosystem: npm, file: files/x, lock: x}\n'),
      all(),
      /one of "lock" and "file", found both/,
    ],
    [
      'with an unknown ecosystem',
      recipe('{npm: b}', 'vendor: {ecosystem: gem}\n'),
      all(),
      /expected cargo, go, npm or python/,
    ],
    [
      'with one ecosystem twice',
      recipe('{npm: b}', 'vendor: [{ecosystem: npm}, {ecosystem: npm}]\n'),
      all(lock(DIGEST)),
      /each ecosystem once/,
    ],
    [
      'without a main source',
      `name: a/b\nversion: 1\nclass: make\nvendor: {ecosystem: go}\n`,
      all(),
      /expected a main source that holds it/,
    ],
    [
      'with a hostile vendor.lock',
      beside,
      all(lock().replace('pkg:npm/%40s/a', 'pkg:npm/../a')),
      /expected a package URL of a known registry/,
    ],
    ['with a vendor.lock that is no JSON', beside, all('<<<<<<< HEAD\n'), /expected JSON/],
  ])('is refused %s', async (_, definition, more, message) => {
    expect((await mistakesOf(project(files(definition, more)))).join('\n')).toMatch(message);
  });

  test('does not follow a vendor.lock that is a link out of its directory', async () => {
    const directory = project(files(beside, { 'pkgs/nginx/files/package-lock.json': text }));
    writeFileSync(join(directory, 'outside.lock'), lock());
    symlinkSync(join(directory, 'outside.lock'), join(directory, 'pkgs/nginx/vendor.lock'));
    expect((await mistakesOf(directory)).join()).toMatch(/expected vendor\.lock beside pkg\.yaml, found none/);
  });

  test('is read for `lock --vendor` without one, every version', async () => {
    const two = beside.replace('versions: {', `versions: {0.9.0: {sha256: ${'ef'.repeat(32)}}, `);
    const directory = project(files(two, { 'pkgs/nginx/files/package-lock.json': text }));
    const versions = await readVendorRecipe(join(directory, 'pkgs/nginx'));
    expect(versions.map(({ version, requests }) => [version, requests[0]!.from])).toEqual([
      ['1.0.0', sha256(text)],
      ['0.9.0', sha256(text)],
    ]);
    await expect(readVendorRecipe(join(project(), 'pkgs/nginx'))).rejects.toThrow(
      /expected a recipe, found a derivation/,
    );
  });
});
