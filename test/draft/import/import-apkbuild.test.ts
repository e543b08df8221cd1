// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is shell that is read
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shippedClassPhases } from '../../../src/definition/shipped-class-phases.ts';
import { importApkbuild } from '../../../src/draft/import/import-apkbuild.ts';
import { recipeText } from '../../../src/draft/recipe-text.ts';

const lantern = readFileSync(
  fileURLToPath(new URL('../../fixtures/import/apkbuild/lantern/APKBUILD', import.meta.url)),
  'utf8',
);
const classPhases = await shippedClassPhases();
const HEAD = 'pkgname=x\npkgver=1\nlicense=MIT\n';

function draftOf(text: string) {
  const { draft } = importApkbuild(text, classPhases);
  return { ...draft, todos: draft.notes.filter(({ kind }) => kind === 'todo').map((note) => note.text) };
}

test('a note is one line, so that nothing of the other recipe stands outside of a comment', () => {
  const { todos } = draftOf(`${HEAD}source="https://example.org/$(id\nphases: y)/x"\nprovides="a\nphases: z"\n`);
  expect(todos).toContain('not understood: https://example.org/$(id phases: y)/x');
  expect(todos.filter((text) => text.includes('\n'))).toEqual([]);
});

describe('of an APKBUILD nothing is lost:', () => {
  test.each([
    'pkgusers (line 11) is not translated: lantern',
    'pkggroups (line 12) is not translated: lantern www-data',
    'depends_dev (line 14) is not translated: zlib-dev',
    'provides (line 16) is not translated: lamp=$pkgver-r$pkgrel',
    'replaces (line 17) is not translated: lamp<1.8',
    'install (line 18) is not translated: $pkgname.pre-install $pkgname.post-install',
    'triggers (line 19) is not translated: lantern.trigger=/usr/share/lantern',
    'arch is not translated: !s390x',
    'the subpackage lantern-doc is not translated: what it would hold stays in this package',
    'the option !strip is not translated',
    'the option suid is not translated',
    'it is built in server/ of the source tree, which no phase enters',
    'line 26 was not understood: . "$startdir"/../common.sh',
    'line 28 was not understood: if [ "$CARCH" = x86_64 ]; then… (it sets _wide)',
    'the function openrc (line 46) is not translated',
    'conflicts with gettext, which nothing says here',
    'build: py3-setuptools is not known here; perhaps debian/python3-setuptools',
    'not understood: https://lantern.example.org/$(echo hi there)/fix.patch',
    'install: install for another user or group: files of a package are root’s here',
    'install: chown: files of a package are root’s here',
    'install: setcap: in place of it, say it under capabilities',
    'install: msg is a function of the other system',
  ])('%s', (todo) => {
    expect(draftOf(lantern).todos).toContain(todo);
  });

  test('a source whose address needs a command is left to a person', () => {
    expect(draftOf(lantern).sources.map(({ url }) => url)).toEqual([
      'https://lantern.example.org/lantern-{{version}}.tar.gz',
    ]);
  });

  test('a variable that a phase or another value is made of is read there', () => {
    expect(draftOf(`${HEAD}_a=1\n_b=$_a\nurl=https://example.org/$_b\n`).todos.join()).not.toMatch(/_[ab] \(line/);
    expect(draftOf(`${HEAD}_a="$_a 1"\n`).todos).toContain('_a (line 4) is not translated: $_a 1');
  });

  test('every name that it sets stands in the draft', () => {
    const name = fc.stringMatching(/^q[a-z_]{0,12}$/);
    const shape = fc.constantFrom<(one: string) => string>(
      (one) => `${one}=1`,
      (one) => `export ${one}="a b"`,
      (one) => `${one}+=(a b)`,
      (one) => `if true; then\n\t${one}=1\nfi`,
      (one) => `[ "$CARCH" = s390x ] && ${one}=2`,
      (one) => `${one}=1 frobnicate`,
      (one) => `readonly ${one}=1`,
      (one) => `${one}[1]=x`,
      (one) => `${one}() {\n\tx=1\n}`,
    );
    const isThere = (statements: readonly [string, (one: string) => string][]) => {
      const { notes, ...draft } = importApkbuild(
        `${HEAD}${statements.map(([one, write]) => write(one)).join('\n')}\n`,
        classPhases,
      ).draft;
      const text = JSON.stringify([notes, draft]);
      return statements.every(([one]) => text.includes(one));
    };
    fc.assert(fc.property(fc.array(fc.tuple(name, shape), { maxLength: 6 }), isThere), { numRuns: 200 });
  });
});

test('what is noted stands as TODO(import) in the text', () => {
  expect(recipeText(draftOf(lantern))).toContain('# TODO(import): pkgusers (line 11) is not translated: lantern\n');
});
