// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is shell that is read
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { shippedClassPhases } from '../../../src/definition/shipped-class-phases.ts';
import { importEbuild } from '../../../src/draft/import/import-ebuild.ts';
import { recipeText } from '../../../src/draft/recipe-text.ts';

const path = fileURLToPath(
  new URL('../../fixtures/import/ebuild/app-misc/lantern/lantern-1.8.2.ebuild', import.meta.url),
);
const { draft } = importEbuild(readFileSync(path, 'utf8'), path, await shippedClassPhases());

describe('of an ebuild nothing is lost:', () => {
  test.each([
    'PYTHON_COMPAT (line 4) is not translated: python3_{11..13}',
    'IDEPEND (line 35) is not translated: sys-apps/dbus',
    'SLOT is not translated: 2',
    'RESTRICT is not translated: strip',
    'it is built in server/ of the source tree, which no phase enters',
    'the function pkg_setup (line 37) is not translated',
    'the function src_frobnicate (line 61) is not translated',
    'X cannot be the name of a flag here',
    'link: x11-libs/libX11 only with X, which is no flag here',
    'REQUIRED_USE is not translated: ^^ ( color X )',
    'only its name is kept: >=dev-libs/openssl-3.0.2:=',
    'conflicts with <app-misc/lamp-2, which nothing says here',
    'one of several, of which none is known here: || ( dev-libs/libbsd dev-libs/libmd )',
    'one of several: dev-libs/expat was taken of || ( dev-libs/libwax dev-libs/expat )',
    'configure: use is a function of the other system',
    'configure: append-cflags is a function of the other system',
    'build: tc-getAR is a function of the other system',
    'install: use is a function of the other system',
    'install: dodoc is a function of the other system',
    'install: doman is a function of the other system',
    'install: dosym is a function of the other system',
  ])('%s', (todo) => {
    expect(draft.notes.filter(({ kind }) => kind === 'todo').map(({ text }) => text)).toContain(todo);
  });

  test('a variable that an address is made of is read there', () => {
    expect(draft.sources).toEqual([{ url: 'https://lantern.example.org/lantern-v{{version}}.tar.gz' }]);
    expect(draft.notes.map(({ text }) => text).join()).not.toContain('MY_P');
  });
});

test('flags that an ebuild wants on or off with another are what it requires and conflicts with', () => {
  expect(draft.flags).toMatchObject({
    unicode: { requires: ['color'], conflicts: [] },
    debug: { requires: ['pcre'], conflicts: ['systemd'] },
  });
  expect(recipeText(draft)).toContain(
    '    requires: [pcre]\n    conflicts: [systemd]\n    configure: [--enable-assert]\n',
  );
});

test('an empty word that a flag stands for is no argument, and an empty half of one is nothing', () => {
  expect(draft.flags?.debug).toMatchObject({ on: ['--enable-assert'], off: [] });
  expect(draft.flags?.color).toMatchObject({ on: ['--with-wick='], off: ['--with-wick=none'] });
});

test('what tests need is needed to build, and what a flag needs is with the flag', () => {
  expect(draft.dependencies?.build).toContain('debian/perl');
  expect(draft.flags?.pcre?.dependencies?.link).toEqual(['dev-libs/pcre2']);
  expect(draft.dependencies?.link).toEqual(['dev-libs/openssl', 'dev-libs/expat']);
});
