import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { draftFromTree, type SeenTree } from '../../src/draft/draft-from-tree.ts';
import { guessClass } from '../../src/draft/guess-class.ts';
import { guessLicense } from '../../src/draft/guess-license.ts';
import { guessFromLocation, templatedUrl } from '../../src/draft/guess-source.ts';
import { spdxLicense } from '../../src/draft/import/spdx-license.ts';
import { recipeText } from '../../src/draft/recipe-text.ts';
import { installation } from '../support/run-buildit.ts';

test.each<[string, string | undefined, string | undefined]>([
  ['https://nginx.org/download/nginx-1.22.1.tar.gz', 'nginx', '1.22.1'],
  ['https://github.com/krallin/tini/archive/v0.19.0.tar.gz', 'tini', '0.19.0'],
  ['https://github.com/libuv/libuv/archive/refs/tags/v1.44.2.tar.gz', 'libuv', '1.44.2'],
  ['https://gitlab.com/a/some-thing/-/archive/2.0/some-thing-2.0.tar.bz2', 'some-thing', '2.0'],
  ['jq_1.6.orig.tar.gz', 'jq', '1.6'],
  ['curl-8.14.1.tar.xz?mirror=1', 'curl', '8.14.1'],
  ['openssl-3.2.0-beta1.tar.gz', 'openssl', '3.2.0-beta1'],
  ['Greeter.tgz', 'greeter', undefined],
])('%s is %s at version %s', (location, name, version) => {
  expect(guessFromLocation(location)).toEqual({ name, version });
});

test('the version in a URL becomes a template, but not in the name of the host', () => {
  expect(templatedUrl('https://v1.2.example.org/1.2/a-1.2.tgz', '1.2')).toBe(
    'https://v1.2.example.org/{{version}}/a-{{version}}.tgz',
  );
  expect(templatedUrl('https://example.org/a-7.tgz', '7')).toBe('https://example.org/a-7.tgz');
});

test.each<[string[], string, string | undefined]>([
  [['CMakeLists.txt', 'configure', 'Makefile'], 'autotools', 'configure'],
  [['configure.ac', 'Makefile.am'], 'autotools', 'configure.ac'],
  [['meson.build', 'README'], 'meson', 'meson.build'],
  [['CMakeLists.txt', 'Makefile'], 'cmake', 'CMakeLists.txt'],
  [['Makefile'], 'make', 'Makefile'],
  [['Cargo.toml', 'Makefile'], 'cargo', 'Cargo.toml'],
  [['go.mod'], 'go', 'go.mod'],
  [['pyproject.toml'], 'python', 'pyproject.toml'],
  [['package.json'], 'npm', 'package.json'],
  [['README'], 'none', undefined],
])('%j is built as %s', (files, name, sign) => {
  expect(guessClass(files)).toMatchObject({ name, sign });
});

describe('a licence', () => {
  test('is recognised by its text', () => {
    expect(guessLicense(readFileSync(join(installation, 'LICENSE'), 'utf8'))).toMatch(/^[A-Za-z0-9.-]+$/);
    expect(guessLicense('GNU GENERAL PUBLIC LICENSE\n   Version 2, June 1991\n')).toBe('GPL-2.0-or-later');
    expect(guessLicense('GNU LESSER GENERAL PUBLIC LICENSE\n Version 2.1, February 1999')).toBe('LGPL-2.1-or-later');
    expect(guessLicense('Do as you like.')).toBeUndefined();
  });

  test.each<[string, string | undefined]>([
    ['GPL-2.0-or-later WITH GCC-exception-3.1', 'GPL-2.0-or-later WITH GCC-exception-3.1'],
    ['|| ( GPL-3+ MIT )', 'GPL-3.0-or-later OR MIT'],
    ['BSD ZLIB', 'BSD-3-Clause AND Zlib'],
    ['constructor', 'constructor'],
    ['custom!', undefined],
    ['', undefined],
  ])('%j is %j in SPDX', (written, spdx) => {
    expect(spdxLicense(written)).toBe(spdx);
  });
});

test('a hostile tree cannot write keys of its own into a recipe', () => {
  const tree: SeenTree = {
    directory: 'x-1.0',
    topLevel: ['package.json', 'Makefile'],
    texts: {
      'package.json': JSON.stringify({
        description: 'nice: {{ version }} # "\u202e\nphases: {install: evil}',
        homepage: 'https://example.org/\nphases: evil',
        license: 'MIT\nphases: evil',
      }),
    },
  };
  const wanted = { category: 'local', name: undefined, classes: ['npm'] };
  const text = recipeText(draftFromTree({ location: 'x-1.0.tgz', sha256: '', isFile: true }, tree, wanted));
  expect(text).not.toMatch(/^phases/m);
  expect(text).not.toContain('evil');
});
