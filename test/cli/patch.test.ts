import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { normalisePatch } from '../../src/model/normalise-patch.ts';
import { requires } from '../support/requires.ts';
import { installation, runBuildit } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { openTerminal } from '../support/terminal.ts';

const LINES = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`);
const GREETING = '--- a/hello.txt\n+++ b/hello.txt\n@@ -9,3 +9,3 @@\n line 9\n-line 10\n+line ten\n line 11\n';
const TREE = 'pkgs/tool/.buildit/patch/fix-x/tree';

/** A container whose package has a source and patches of its own, and how to run buildit beside it. */
function toolContainer({
  patches = {},
  definition = '',
}: {
  patches?: Record<string, string>;
  definition?: string;
} = {}) {
  const cwd = temporaryDirectory();
  const source = join(cwd, 'tool-1.0');
  mkdirSync(join(source, 'src'), { recursive: true });
  writeFileSync(join(source, 'hello.txt'), `${LINES.join('\n')}\n`);
  writeFileSync(join(source, 'src/main.c'), 'int main(void)\r\n{ return 0; } /* caf\xe9 */', 'latin1');
  writeFileSync(join(source, 'logo'), '\0logo');
  symlinkSync('/etc/passwd', join(source, 'escape'));
  const directory = join(cwd, 'box/pkgs/tool');
  mkdirSync(join(directory, 'patches'), { recursive: true });
  writeFileSync(
    join(cwd, 'box/container.yaml'),
    '- vars: {name: box, version: 1}\n- base: none\n- package: {type: embedded, path: ./pkgs/tool}\n- image: {type: oci}\n',
  );
  writeFileSync(join(directory, 'pkg.yaml'), definitionText(definition));
  for (const [name, text] of Object.entries(patches)) writeFileSync(join(directory, 'patches', name), text, 'latin1');
  const pack = () => execFileSync('tar', ['-C', cwd, '-czf', join(directory, 'tool-1.0.tar.gz'), 'tool-1.0']);
  pack();
  const environment = { PATH: process.env.PATH!, HOME: cwd, BUILDIT_STORE: join(cwd, 'store'), LC_ALL: 'C.UTF-8' };
  const at = (path: string) => join(directory, path);
  return {
    ...{ cwd, directory, environment, at, source, pack },
    run: (...argv: string[]) => runBuildit(argv, { cwd: join(cwd, 'box'), environment }),
    read: (path: string) => readFileSync(at(path), 'latin1'),
    tree: join(cwd, 'box', TREE),
  };
}

function definitionText(more: string): string {
  return `# the tool\nname: test/tool\nversion: 1.0\nlicense: MIT\nclass: none\nroot: minimal\nsource: {file: tool-1.0.tar.gz}\nphases: {install: 'install -D hello.txt "$DESTDIR/hello"'}\n${more}`;
}

const NEW = ['patch', 'new', '--no-shell', 'pkgs/tool', 'fix-x', '--author', 'A B <a@b.c>'];

/** A change of everything that a patch can hold. */
function changeTree(tree: string): void {
  writeFileSync(join(tree, 'hello.txt'), `${LINES.toSpliced(19, 1, 'line twenty').join('\n')}\n`);
  writeFileSync(join(tree, 'src/main.c'), 'int main(void)\r\n{ return 1; } /* caf\xe9 */\n', 'latin1');
  mkdirSync(join(tree, 'new'));
  writeFileSync(join(tree, 'new/run.sh'), '#!/bin/sh\n');
  chmodSync(join(tree, 'new/run.sh'), 0o755);
}

describe('buildit patch new', () => {
  test('opens the patched source; `refresh` makes a patch of what was changed and removes the tree', async () => {
    const tool = toolContainer({ patches: { 'a.patch': GREETING } });
    const opened = await tool.run(...NEW, '--description', 'Fix it: x\n\nAll of it.', '--forwarded', 'no');
    expect(opened).toMatchObject({ exitCode: 0, stdout: `${tool.tree}\n` });
    expect(opened.stderr).toContain('Change it, then: buildit patch refresh pkgs/tool fix-x\n');
    expect(readFileSync(join(tool.tree, 'hello.txt'), 'utf8')).toContain('line ten');
    changeTree(tool.tree);
    writeFileSync(
      join(tool.tree, 'hello.txt'),
      readFileSync(join(tool.tree, 'hello.txt'), 'utf8').replace('line 10\n', 'line ten\n'),
    );
    const written = await tool.run('patch', 'refresh', 'pkgs/tool');
    expect(written).toEqual({
      exitCode: 0,
      stdout: 'patches/fix-x.patch written: 3 files, 3 hunks, +3 -2\n',
      stderr: '',
    });
    await expect(tool.read('patches/fix-x.patch')).toMatchFileSnapshot('../golden/patch/new.patch');
    expect(existsSync(tool.at('.buildit'))).toBe(false);
    const status = await tool.run('patch', 'status', 'pkgs/tool');
    expect(status).toMatchObject({ exitCode: 0, stderr: '' });
    expect(status.stdout).toBe(
      'test/tool-1.0\nPATCH                HUNKS  STATE\npatches/a.patch          1  applies\npatches/fix-x.patch      3  applies\n',
    );
  });

  test('gives the same bytes for the same change, and git is asked who made it', async () => {
    const texts: string[] = [];
    for (const _ of [1, 2]) {
      const tool = toolContainer();
      writeFileSync(join(tool.cwd, '.gitconfig'), '[user]\nname = Jos\u00e9\nemail = j@example.org\n');
      await tool.run('patch', 'new', '--no-shell', 'pkgs/tool', 'fix-x');
      changeTree(tool.tree);
      await tool.run('patch', 'refresh', 'pkgs/tool', 'fix-x');
      texts.push(tool.read('patches/fix-x.patch'));
    }
    expect(texts[0]).toBe(texts[1]);
    expect(Buffer.from(texts[0]!, 'latin1').toString()).toContain(
      'Description: fix-x\nAuthor: José <j@example.org>\n\n',
    );
  });

  test('names the patch in a list of patches, and leaves the rest of pkg.yaml alone', async () => {
    const list = 'patches: # in this order\n  patches/z.patch: Z # first\nenvironment: {A: b}\n';
    const tool = toolContainer({ definition: list, patches: { 'z.patch': GREETING } });
    await tool.run(...NEW, '--description', 'Say "x"');
    expect(readFileSync(join(tool.tree, 'hello.txt'), 'utf8')).toContain('line ten');
    changeTree(tool.tree);
    const { stdout } = await tool.run('patch', 'refresh', 'pkgs/tool');
    expect(stdout).toContain('pkg.yaml changed with it\n');
    expect(tool.read('pkg.yaml')).toBe(
      definitionText(list.replace('# first\n', '# first\n  patches/fix-x.patch: "Say \\"x\\""\n')),
    );
    expect((await tool.run('patch', 'status', 'pkgs/tool')).exitCode).toBe(0);
  });

  test('where a name comes before others, opens the source before those, and says how they fare', async () => {
    const tool = toolContainer({ patches: { 'z.patch': GREETING } });
    const opened = await tool.run(...NEW);
    expect(opened.stderr).toContain('Not in it, because they apply later: patches/z.patch\n');
    expect(readFileSync(join(tool.tree, 'hello.txt'), 'utf8')).not.toContain('line ten');
    writeFileSync(join(tool.tree, 'hello.txt'), 'gone\n');
    const written = await tool.run('patch', 'refresh', 'pkgs/tool');
    expect(written.exitCode).toBe(12);
    await expect(written.stdout).toMatchFileSnapshot('../golden/patch/new-before-others.txt');
  });

  test('goes on with a tree that is open, and forgets it with --fresh', async () => {
    const tool = toolContainer();
    await tool.run(...NEW);
    changeTree(tool.tree);
    const again = await tool.run(...NEW);
    expect(again.stderr).toContain('is still open, as you left it');
    expect(existsSync(join(tool.tree, 'new/run.sh'))).toBe(true);
    expect((await tool.run('patch', 'status', 'pkgs/tool')).stdout).toContain('the tree of fix-x is open\n');
    await tool.run(...NEW, '--fresh');
    expect(existsSync(join(tool.tree, 'new'))).toBe(false);
    const nothing = await tool.run('patch', 'refresh', 'pkgs/tool', 'fix-x');
    expect(nothing.stdout).toBe('patches/fix-x.patch: nothing was changed, nothing is written\n');
    expect(existsSync(tool.at('.buildit'))).toBe(false);
    expect(readdirSync(tool.at('patches'))).toEqual([]);
  });

  test('opens the tree elsewhere with --directory', async () => {
    const tool = toolContainer();
    const { stdout, stderr } = await tool.run(...NEW, '--directory', '../work');
    expect(stdout).toBe(`${join(tool.cwd, 'work/tree')}\n`);
    expect(stderr).toContain(`buildit patch refresh --directory=${join(tool.cwd, 'work')} pkgs/tool fix-x`);
    changeTree(join(tool.cwd, 'work/tree'));
    const written = await tool.run('patch', 'refresh', '--directory=../work', 'pkgs/tool', 'fix-x');
    expect(written.stdout).toContain('patches/fix-x.patch written');
    expect(existsSync(join(tool.cwd, 'work'))).toBe(false);
  });

  test('writes nothing of a change that a patch cannot hold, and keeps the tree', async () => {
    const tool = toolContainer();
    await tool.run(...NEW);
    writeFileSync(join(tool.tree, 'logo'), '\0other');
    rmSync(join(tool.tree, 'escape'));
    symlinkSync('/etc/shadow', join(tool.tree, 'escape'));
    const refused = await tool.run('patch', 'refresh', 'pkgs/tool');
    expect(refused).toMatchObject({ exitCode: 65, stdout: '' });
    await expect(refused.stderr).toMatchFileSnapshot('../golden/patch/cannot-hold.txt');
    expect(existsSync(tool.tree)).toBe(true);
    expect(readdirSync(tool.at('patches'))).toEqual([]);
  });

  test('refuses to go on where the source is another by now', async () => {
    const tool = toolContainer();
    await tool.run(...NEW);
    changeTree(tool.tree);
    writeFileSync(join(tool.source, 'hello.txt'), 'another\n');
    tool.pack();
    const refused = await tool.run('patch', 'refresh', 'pkgs/tool', 'fix-x');
    expect(refused.exitCode).toBe(65);
    expect(refused.stderr).toContain('found that the source or a patch before this one has changed');
    expect(existsSync(join(tool.tree, 'new/run.sh'))).toBe(true);
  });

  test.each([
    ['a name that leaves patches/', ['../x'], 64],
    ['a name that an option would be', ['--', '-x'], 64],
    ['a name that is taken', ['a'], 73],
  ])('refuses %s', async (_, words, exitCode) => {
    const tool = toolContainer({ patches: { 'a.patch': GREETING } });
    expect((await tool.run('patch', 'new', '--no-shell', 'pkgs/tool', ...words)).exitCode).toBe(exitCode);
    expect(existsSync(tool.at('.buildit'))).toBe(false);
  });

  test('follows no link to where its tree would be', async () => {
    const tool = toolContainer();
    const outside = temporaryDirectory();
    symlinkSync(outside, tool.at('.buildit'));
    const refused = await tool.run(...NEW);
    expect(refused.exitCode).toBe(65);
    expect(refused.stderr).toContain('expected a directory or nothing, found something else');
    expect(readdirSync(outside)).toEqual([]);
  });

  test('refuses a package that no container embeds and that is no recipe', async () => {
    const tool = toolContainer();
    mkdirSync(join(tool.cwd, 'box/other'));
    writeFileSync(join(tool.cwd, 'box/other/pkg.yaml'), 'base: app-misc/hello\n');
    const refused = await tool.run('patch', 'status', 'other');
    expect(refused.exitCode).toBe(64);
    expect(refused.stderr).toContain('expected a package that a container.yaml above embeds, or a recipe');
  });
});

describe('buildit patch edit', () => {
  const second = '--- a/hello.txt\n+++ b/hello.txt\n@@ -10,3 +10,3 @@\n line ten\n-line 11\n+line eleven\n line 12\n';

  test('opens the source with the patches up to the one, keeps its header, and checks those behind it', async () => {
    const header = 'From 1234 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] ten\n\nFor D\xe9dou.\n---\n';
    const tool = toolContainer({
      patches: {
        'fix-x.patch': `${header}diff --git a/hello.txt b/hello.txt\nindex 1..2 100644\n${GREETING}-- \n2.39\n`,
        'z.patch': second,
      },
    });
    const opened = await tool.run('patch', 'edit', '--no-shell', 'pkgs/tool', 'fix-x');
    expect(opened.stderr).toContain('they apply later: patches/z.patch');
    const file = join(tool.tree, 'hello.txt');
    expect(readFileSync(file, 'utf8')).toContain('line ten\nline 11\n');
    writeFileSync(file, readFileSync(file, 'utf8').replace('line 1\n', 'line 0\nline 1\n'));
    const written = await tool.run('patch', 'refresh', 'pkgs/tool', 'fix-x');
    expect(written.exitCode).toBe(0);
    await expect(written.stdout).toMatchFileSnapshot('../golden/patch/edit.txt');
    const text = tool.read('patches/fix-x.patch');
    expect(text.startsWith(`${header}--- a/hello.txt\n`)).toBe(true);
    expect(text).not.toContain('2.39');

    await tool.run('patch', 'edit', '--no-shell', 'pkgs/tool', 'patches/fix-x.patch');
    writeFileSync(file, readFileSync(file, 'utf8').replace('line 11\n', ''));
    const broken = await tool.run('patch', 'refresh', 'pkgs/tool', 'fix-x', '--json');
    expect(broken.exitCode).toBe(12);
    expect(JSON.parse(broken.stdout)).toMatchObject({
      state: 'written',
      later: [{ patch: 'patches/z.patch', state: 'rejected' }],
    });
  });

  test('leaves the file as it is where nothing was changed, and refuses an empty patch', async () => {
    const tool = toolContainer({ patches: { 'fix-x.patch': GREETING } });
    await tool.run('patch', 'edit', '--no-shell', 'pkgs/tool', 'fix-x');
    expect((await tool.run('patch', 'refresh', 'pkgs/tool')).stdout).toContain('nothing was changed');
    expect(tool.read('patches/fix-x.patch')).toBe(GREETING);
    await tool.run('patch', 'edit', '--no-shell', 'pkgs/tool', 'fix-x');
    writeFileSync(join(tool.tree, 'hello.txt'), `${LINES.join('\n')}\n`);
    const empty = await tool.run('patch', 'refresh', 'pkgs/tool');
    expect(empty.exitCode).toBe(65);
    expect(empty.stderr).toContain('expected a change of the source, found none');
    expect(tool.read('patches/fix-x.patch')).toBe(GREETING);
  });

  test('opens the source before a patch that does not apply, and its checksum follows', async () => {
    const sha256 = 'SUM';
    const tool = toolContainer({ patches: { 'fix-x.patch': GREETING.replace('line 9', 'line nine') } });
    const sum = execFileSync('sha256sum', [tool.at('patches/fix-x.patch')], { encoding: 'utf8' }).slice(0, 64);
    const list = `patches: {patches/fix-x.patch: {description: Ten, sha256: ${sha256}}} # c\n`;
    writeFileSync(tool.at('pkg.yaml'), definitionText(list.replace(sha256, sum)));
    const opened = await tool.run('patch', 'edit', '--no-shell', 'pkgs/tool', 'fix-x');
    expect(opened.stderr).toContain(
      'hunk 1 of 1 does not match hello.txt at line 9; the tree is as it was before this patch',
    );
    const file = join(tool.tree, 'hello.txt');
    writeFileSync(file, readFileSync(file, 'utf8').replace('line 10\n', 'line ten\n'));
    expect((await tool.run('patch', 'refresh', 'pkgs/tool')).stdout).toContain('pkg.yaml changed with it');
    const after = execFileSync('sha256sum', [tool.at('patches/fix-x.patch')], { encoding: 'utf8' }).slice(0, 64);
    expect(tool.read('pkg.yaml')).toBe(definitionText(list.replace(sha256, after)));
    expect((await tool.run('patch', 'status', 'pkgs/tool')).exitCode).toBe(0);
  });
});

describe('buildit patch refresh', () => {
  const moved = `Why\n\n${GREETING.replace('@@ -9,3 +9,3 @@', '@@ -4,3 +4,3 @@')}`;

  test('rewrites patches until no hunk lies elsewhere than it says', async () => {
    const tool = toolContainer({
      patches: { 'a.patch': moved, 'b.patch': 'X\n--- a/new\n+++ b/new\n@@ -0,0 +1,1 @@\n+x\n' },
    });
    const before = await tool.run('patch', 'status', 'pkgs/tool');
    expect(before.exitCode).toBe(0);
    await expect(before.stdout).toMatchFileSnapshot('../golden/patch/status-offset.txt');
    const refreshed = await tool.run('patch', 'refresh', 'pkgs/tool');
    expect(refreshed.stdout).toBe(
      'patches/a.patch: rewritten (hunk 1 of hello.txt by 5 lines)\npatches/b.patch: rewritten\n',
    );
    expect(tool.read('patches/a.patch')).toMatch(/^Why\n\n--- a\/hello.txt\n\+\+\+ b\/hello.txt\n@@ -7,7 \+7,7 @@\n/);
    expect(tool.read('patches/b.patch')).toBe('X\n--- /dev/null\n+++ b/new\n@@ -0,0 +1,1 @@\n+x\n');
    const again = await tool.run('patch', 'refresh', 'pkgs/tool');
    expect(again.stdout).toBe('patches/a.patch: unchanged\npatches/b.patch: unchanged\n');
  });

  test('rewrites one alone, and none where one does not apply', async () => {
    const tool = toolContainer({ patches: { 'a.patch': moved, 'b.patch': GREETING.replaceAll('ten', 'TEN') } });
    expect((await tool.run('patch', 'refresh', 'pkgs/tool', 'a')).stdout).toMatch(/^patches\/a.patch: rewritten .*\n$/);
    const text = tool.read('patches/a.patch');
    writeFileSync(tool.at('patches/a.patch'), moved);
    const refused = await tool.run('patch', 'refresh', 'pkgs/tool');
    expect(refused.exitCode).toBe(12);
    expect(refused.stderr).toContain('hunk 1 of 1 does not match hello.txt at line 10');
    expect(tool.read('patches/a.patch')).toBe(moved);
    expect(normalisePatch(text, 1)).not.toBe(normalisePatch(moved, 1));
  });
});

describe('buildit patch status', () => {
  test('says of each patch how it fares, with places, and ends with 12', async () => {
    const tool = toolContainer({
      patches: {
        '1-clean.patch': GREETING,
        '2-there.patch': GREETING,
        '3-bad.patch': GREETING.replaceAll('ten', 'TEN').replace('line 9', 'line IX'),
        '4-missing.patch': '--- a/none\n+++ b/none\n@@ -1 +1 @@\n-a\n+b\n',
        '5-link.patch': '--- a/escape\n+++ b/escape\n@@ -1 +1 @@\n-a\n+b\n',
      },
    });
    const { exitCode, stdout } = await tool.run('patch', 'status', 'pkgs/tool');
    expect(exitCode).toBe(12);
    await expect(stdout).toMatchFileSnapshot('../golden/patch/status.txt');
    const json = await tool.run('patch', 'status', 'pkgs/tool', '--json');
    expect(json.exitCode).toBe(12);
    expect(JSON.parse(json.stdout)).toMatchObject({
      name: 'test/tool',
      patches: [
        { patch: 'patches/1-clean.patch', owner: 'own', state: 'clean', hunks: 1, files: 1, failures: [] },
        { state: 'applied', failures: [] },
        { state: 'rejected', failures: [{ file: 'hello.txt', line: 9 }] },
        { state: 'rejected', failures: [{ file: 'none' }] },
        { state: 'rejected', failures: [{ file: 'escape' }] },
      ],
    });
  });
});

describe('buildit patch add', () => {
  test('copies a file that applies, and needs no list for it', async () => {
    const tool = toolContainer();
    writeFileSync(join(tool.cwd, 'ten.diff'), GREETING);
    const added = await tool.run('patch', 'add', 'pkgs/tool', '../ten.diff');
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    await expect(added.stdout).toMatchFileSnapshot('../golden/patch/add.txt');
    expect(tool.read('patches/ten.patch')).toBe(GREETING);
    expect(tool.read('pkg.yaml')).toBe(definitionText(''));
    expect((await tool.run('patch', 'add', 'pkgs/tool', '../ten.diff')).exitCode).toBe(73);
  });

  test('lists what was implied where there is more to say of a patch', async () => {
    const tool = toolContainer({ patches: { 'b.patch': GREETING } });
    writeFileSync(
      join(tool.cwd, 'a.patch'),
      `Subject: [PATCH 1/2] Mend it\n---\n${GREETING.replaceAll(/1([01])/g, '2$1')
        .replaceAll('9', '19')
        .replace('19,3 +19', '9,3 +9')}`,
    );
    const added = await tool.run(
      'patch',
      'add',
      'pkgs/tool',
      '../a.patch',
      '--fixes',
      'CVE-2025-1',
      '--fixes',
      'CVE-2025-2',
    );
    expect(added, added.stderr).toMatchObject({ exitCode: 0 });
    expect(added.stdout).toContain('applies with offset\n');
    expect(tool.read('pkg.yaml')).toBe(
      definitionText(
        'patches:\n  patches/b.patch: ""\n  patches/a.patch: { description: "Mend it", fixes: [CVE-2025-1, CVE-2025-2] }\n',
      ),
    );
    const { patches } = JSON.parse((await tool.run('patch', 'status', 'pkgs/tool', '--json')).stdout);
    expect(patches.map(({ patch }: { patch: string }) => patch)).toEqual(['patches/b.patch', 'patches/a.patch']);
  });

  test('of a patch without a directory in its names, says how it is taken, and takes it so', async () => {
    const tool = toolContainer();
    writeFileSync(join(tool.cwd, 'x.patch'), GREETING.replace('a/hello', 'hello').replace('b/hello', 'hello'));
    const refused = await tool.run('patch', 'add', 'pkgs/tool', '../x.patch');
    expect(refused.exitCode).toBe(65);
    expect(refused.stderr).toContain('found the name "hello.txt", from which 1 element cannot be stripped');
    expect(refused.stderr).toContain('where "hello.txt" is its path in the source, `--strip=0` takes it');
    expect((await tool.run('patch', 'add', 'pkgs/tool', '../x.patch', '--strip=0')).exitCode).toBe(0);
    expect(tool.read('pkg.yaml')).toContain('patches/x.patch: { description: "", strip: 0 }\n');
  });

  test('adds nothing that does not apply', async () => {
    const tool = toolContainer();
    writeFileSync(join(tool.cwd, 'x.patch'), GREETING.replace('line 9', 'line nine'));
    const refused = await tool.run('patch', 'add', 'pkgs/tool', '../x.patch');
    expect(refused.exitCode).toBe(12);
    expect(refused.stderr).toContain('hunk 1 of 1 does not match hello.txt at line 9');
    expect(readdirSync(tool.at('patches'))).toEqual([]);
    expect((await tool.run('patch', 'add', 'pkgs/tool', 'http://example.org/x.patch')).exitCode).toBe(64);
    expect((await tool.run('patch', 'add', 'pkgs/tool', '../none.patch')).exitCode).toBe(66);
  });
});

describe("the user's own patches", () => {
  const mine = '--- a/hello.txt\n+++ b/hello.txt\n@@ -1,4 +1,4 @@\n-line 1\n+line one\n line 2\n line 3\n line 4\n';

  function withMine(config = 'user-patches: true\n') {
    const tool = toolContainer({ patches: { 'a.patch': GREETING } });
    const below = join(tool.cwd, '.config/buildit');
    mkdirSync(join(below, 'patches/test/tool-1.0'), { recursive: true });
    mkdirSync(join(below, 'patches/test/tool'));
    writeFileSync(join(below, 'patches/test/tool/mine.patch'), mine);
    writeFileSync(join(below, 'config.yaml'), config);
    return { ...tool, below };
  }

  test('apply after all others, those of every version first', async () => {
    const tool = withMine();
    writeFileSync(
      join(tool.cwd, 'kept.patch'),
      mine
        .replaceAll('1,4', '2,4')
        .replaceAll(/line (\d)/g, (_, n) => `line ${Number(n) + 1}`)
        .replace('one', 'two'),
    );
    symlinkSync(join(tool.cwd, 'kept.patch'), join(tool.below, 'patches/test/tool-1.0/a.patch'));
    const { patches } = JSON.parse((await tool.run('patch', 'status', 'pkgs/tool', '--json')).stdout);
    expect(
      patches.map(({ patch, owner, state }: Record<string, string>) => [patch!.split('/').at(-1), owner, state]),
    ).toEqual([
      ['a.patch', 'own', 'clean'],
      ['mine.patch', 'user', 'clean'],
      ['a.patch', 'user', 'clean'],
    ]);
    const off = await tool.run('patch', 'status', 'pkgs/tool', '--json', '--no-user-patches');
    expect(JSON.parse(off.stdout).patches).toHaveLength(1);
  });

  requires('archive').test('enter the HASH, and the run says so; they count only where the user says so', async () => {
    const tool = withMine('{}\n');
    const hash = async (...flags: string[]) => tool.run('hash', '.', ...flags);
    const plain = await hash();
    expect(plain, plain.stderr).toMatchObject({ exitCode: 0 });
    const flag = await hash('--user-patches');
    expect(flag.stdout).not.toBe(plain.stdout);
    expect(flag.stderr).toContain('note: test/tool-1.0 has patches of yours: mine.patch\n');
    writeFileSync(join(tool.cwd, 'box/.buildit-config.yaml'), 'user-patches: true\n');
    const project = await hash();
    expect(project.stdout).toBe(plain.stdout);
    expect(project.stderr).toContain('"user-patches" in .buildit-config.yaml:1 does not count');
    writeFileSync(join(tool.below, 'config.yaml'), 'user-patches: true\n');
    expect((await hash()).stdout).toBe(flag.stdout);
  });

  requires('archive', 'bwrap', 'user namespaces').test(
    'are noticed by a run that would have had nothing to do, and told again by one that has',
    async () => {
      const tool = withMine();
      chmodSync(tool.cwd, 0o755);
      rmSync(join(tool.below, 'patches/test'), { recursive: true });
      const first = await tool.run('.');
      expect(first, first.stderr).toMatchObject({ exitCode: 0 });
      expect(first.stderr).not.toContain('patches of yours');
      expect((await tool.run('.')).stdout).toContain('Found HASH locally');
      mkdirSync(join(tool.below, 'patches/test/tool'), { recursive: true });
      writeFileSync(join(tool.below, 'patches/test/tool/mine.patch'), mine);
      const second = await tool.run('.');
      expect(second.stdout).toContain('Defaulting to local build... [OK]');
      const note = 'note: test/tool-1.0 has patches of yours: mine.patch\n';
      expect(second.stderr).toContain(note);
      const third = await tool.run('.');
      expect(third.stdout).toContain('Found HASH locally');
      expect(third.stderr).toContain(note);
      writeFileSync(join(tool.below, 'patches/test/tool/other.patch'), mine);
      expect((await tool.run('.')).exitCode).toBe(12);
    },
    120_000,
  );
});

describe('a recipe of a repository', () => {
  /** A recipe with two versions, and a source of its own for each. */
  function toolRecipe({ definition = '' } = {}) {
    const cwd = temporaryDirectory();
    const directory = join(cwd, 'recipes/test/tool');
    mkdirSync(directory, { recursive: true });
    for (const file of ['repository.yaml', 'buildit.lock'])
      cpSync(join(installation, 'repos/main', file), join(cwd, 'recipes', file));
    const versions = ['1.0', '2.0'].map((version) => {
      mkdirSync(join(cwd, `tool-${version}`));
      writeFileSync(join(cwd, `tool-${version}/hello.txt`), `version ${version}\n`);
      execFileSync('tar', ['-C', cwd, '-czf', join(directory, `tool-${version}.tar.gz`), `tool-${version}`]);
      return `  ${version}: { environment: { A: b } } # ${version}\n`;
    });
    const text = `name: test/tool\nversions:\n${versions.join('')}license: MIT\nclass: none\nroot: minimal\nsource: {file: "tool-{{version}}.tar.gz"}\nphases: {install: 'install -D hello.txt "$DESTDIR/hello"'}\n${definition}`;
    writeFileSync(join(directory, 'pkg.yaml'), text);
    const environment = { PATH: process.env.PATH!, HOME: cwd, BUILDIT_STORE: join(cwd, 'store'), LC_ALL: 'C.UTF-8' };
    return {
      ...{ cwd, directory, text },
      read: (path: string) => readFileSync(join(directory, path), 'latin1'),
      run: (...argv: string[]) => runBuildit(['patch', ...argv], { cwd, environment }),
    };
  }

  test('is worked on to the end in the version that the tree was opened with', async () => {
    const { run, read } = toolRecipe();
    const opened = await run('new', 'recipes/test/tool', 'fix', '--at=1.0', '--no-shell', '--author=A <a@b.c>');
    expect(opened.stderr).toContain('Change it, then: buildit patch refresh recipes/test/tool fix\n');
    const again = await run('new', 'recipes/test/tool', 'fix', '--no-shell');
    expect(again.stderr).toContain('is still open, as you left it');
    const other = await run('refresh', 'recipes/test/tool', '--at=2.0');
    expect(other.exitCode).toBe(64);
    expect(other.stderr).toContain('expected version 1.0, which it was opened with, found 2.0');
    writeFileSync(join(opened.stdout.trim(), 'hello.txt'), 'changed\n');
    expect(await run('refresh', 'recipes/test/tool')).toMatchObject({ exitCode: 0 });
    expect(read('patches/fix.patch')).toContain('-version 1.0\n+changed\n');
  });

  test('gets a patch for every version, and whoever chose one is told how that one alone gets it', async () => {
    const { run, cwd } = toolRecipe();
    const told =
      'patches/fix.patch applies to every version of test/tool; to give it to 1.0 alone, name it in "patches" of that version';
    const opened = await run('new', 'recipes/test/tool', 'fix', '--at=1.0', '--no-shell', '--author=A <a@b.c>');
    writeFileSync(join(opened.stdout.trim(), 'new.txt'), 'new\n');
    expect((await run('refresh', 'recipes/test/tool')).stderr).toContain(told);
    writeFileSync(join(cwd, 'more.patch'), '--- /dev/null\n+++ b/more.txt\n@@ -0,0 +1 @@\n+more\n');
    const added = await run('add', 'recipes/test/tool', 'more.patch', '--at=1.0');
    expect(added.stderr).toContain(told.replace('fix', 'more'));
    writeFileSync(join(cwd, 'most.patch'), '--- /dev/null\n+++ b/most.txt\n@@ -0,0 +1 @@\n+most\n');
    expect((await run('add', 'recipes/test/tool', 'most.patch')).stderr).toBe('');
  });

  test('that lacks a version is named with those that it has, and no file of buildit itself is', async () => {
    const { run } = toolRecipe();
    const missing = await run('status', 'recipes/test/tool', '--at=9');
    expect(missing).toEqual({
      exitCode: 15,
      stdout: '',
      stderr: 'error: Cannot choose a version of "test/tool": expected 9, found 2.0, 1.0\n',
    });
  });
});

requires('archive').test(
  'a recipe of a repository is patched where it lies, with the source that the archive has',
  { timeout: 120_000 },
  async () => {
    const cwd = temporaryDirectory();
    cpSync(join(installation, 'repos/main'), join(cwd, 'recipes'), { recursive: true });
    const environment = { PATH: process.env.PATH!, HOME: cwd, BUILDIT_STORE: join(cwd, 'store') };
    const run = (...argv: string[]) => runBuildit(['patch', ...argv], { cwd, environment });
    const hello = 'recipes/app-misc/hello';
    const opened = await run('new', '--no-shell', hello, 'moon', '--at=2.10', '--author=A <a@b.c>');
    expect(opened, opened.stderr).toMatchObject({ exitCode: 0 });
    const file = join(opened.stdout.trim(), 'src/hello.c');
    writeFileSync(file, readFileSync(file, 'latin1').replace('Hello, world!', 'Hello, moon!'), 'latin1');
    expect((await run('refresh', hello, 'moon')).stdout).toBe('patches/moon.patch written: 1 file, 1 hunk, +1 -1\n');
    await expect(readFileSync(join(cwd, hello, 'patches/moon.patch'), 'latin1')).toMatchFileSnapshot(
      '../golden/patch/hello.patch',
    );
    expect((await run('status', hello)).stdout).toContain('patches/moon.patch      1  applies\n');
    const missing = await run('status', hello, '--at=9');
    expect(missing.exitCode).toBe(15);
    expect(missing.stderr).toContain('Cannot choose a version of "app-misc/hello": expected 9');
  },
);

requires('tmux').describe('in a terminal', () => {
  function inTerminal(tool: ReturnType<typeof toolContainer>, ...argv: string[]) {
    return openTerminal([process.execPath, `${installation}/bin/buildit.js`, ...argv], {
      directory: join(tool.cwd, 'box'),
      rows: 40,
      patienceMs: 50_000,
      environment: { ...tool.environment, SHELL: '/bin/bash', PS1: 'here$ ' },
    });
  }

  test('the shell of the user opens in the tree, and its end with 0 writes the patch', {
    timeout: 60_000,
  }, async () => {
    const tool = toolContainer();
    const terminal = inTerminal(tool, 'patch', 'new', 'pkgs/tool', 'fix-x', '--author', 'A <a@b.c>');
    await terminal.until((lines) => lines.some((line) => line.startsWith('Change it and leave the shell')));
    terminal.press("sed -i 's/line 7$/line seven/' hello.txt; echo $BUILDIT_PATCH", 'Enter', 'exit', 'Enter');
    const screen = await terminal.until((lines) => lines.some((line) => line.startsWith('exit code')));
    expect(screen).toContain('fix-x');
    expect(screen).toContain('patches/fix-x.patch written: 1 file, 1 hunk, +1 -1');
    expect(screen).toContain('exit code 0');
    expect(tool.read('patches/fix-x.patch')).toContain('-line 7\n+line seven\n');
    expect(existsSync(tool.at('.buildit'))).toBe(false);
  });

  test('its end with another code writes nothing, and the tree stays', { timeout: 120_000 }, async () => {
    const tool = toolContainer();
    const terminal = inTerminal(tool, 'patch', 'new', 'pkgs/tool', 'fix-x');
    await terminal.until((lines) => lines.some((line) => line.startsWith('Change it and leave the shell')));
    terminal.press('echo x > hello.txt; exit 3', 'Enter');
    const screen = await terminal.until((lines) => lines.some((line) => line.startsWith('exit code')));
    expect(screen).toContain('The shell ended with 3: nothing is written, and the tree stays as it is');
    expect(screen).toContain('Go on with: buildit patch refresh pkgs/tool fix-x');
    expect(screen).toContain('exit code 3');
    expect(readdirSync(tool.at('patches'))).toEqual([]);
    expect(readFileSync(join(tool.tree, 'hello.txt'), 'utf8')).toBe('x\n');
  });
});
