import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { comparePaths } from '../../src/layer/path-order.ts';
import { layerTar } from '../../src/layer/write-tar.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { LayerEntry } from '../../src/model/layer.ts';
import { containerSpec } from '../../src/publish/container-spec.ts';
import { unpackSpec } from '../../src/publish/unpack-spec.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const PLAIN = { uid: 0, gid: 0, mtime: 0 } as const;
const directory = (path: string): LayerEntry => ({ ...PLAIN, path, type: 'directory', mode: 0o755 });
const file = (path: string, mode = 0o644): LayerEntry => ({
  ...{ ...PLAIN, path, type: 'file', mode, size: 4, sha256: sha256('text') },
});
const tarOf = (...entries: readonly LayerEntry[]) => {
  const sorted = entries.toSorted((a, b) => comparePaths(a.path, b.path));
  return layerTar(sorted, () => Buffer.from('text'));
};

/** What GNU tar makes of files, with names changed on the way. */
function gnuTar(script: string): AsyncIterable<Uint8Array> {
  const work = temporaryDirectory();
  execFileSync('sh', ['-ec', script], { cwd: work });
  return chunksOf(readFileSync(join(work, 'a.tar')));
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 700) yield bytes.subarray(start, start + 700);
}

describe('a container spec', () => {
  test('comes out as it went in, with modes of files alone', async () => {
    const [from, parent] = [temporaryDirectory(), temporaryDirectory()];
    mkdirSync(join(from, 'pkgs/a'), { recursive: true });
    writeFileSync(join(from, 'container.yaml'), '- vars: {}\n');
    writeFileSync(join(from, 'pkgs/a/run.sh'), '#!/bin/sh\n', { mode: 0o750 });
    const read = ['container.yaml', 'pkgs/a/run.sh'].map((path) => join(from, path));
    const to = join(parent, 'deep/new');
    expect(await unpackSpec(containerSpec({ directory: from, repositories: [], read }), to, 'spec')).toBe(3);
    expect(readFileSync(join(to, 'container.yaml'), 'utf8')).toBe('- vars: {}\n');
    expect(statSync(join(to, 'container.yaml')).mode & 0o7777).toBe(0o644);
    expect(statSync(join(to, 'pkgs/a/run.sh')).mode & 0o7777).toBe(0o755);
    expect(readdirSync(join(parent, 'deep'))).toEqual(['new']);
  });

  test('brings its recipes under a name that hides no configuration, and others under one that nobody reads', async () => {
    const to = join(temporaryDirectory(), 'new');
    const spec = tarOf(
      file('.Buildit-Config.YAML'),
      file('.buildit-config.yaml'),
      directory('pkgs'),
      file('pkgs/.buildit-config.yaml'),
    );
    expect(await unpackSpec(spec, to, 'spec')).toBe(3);
    expect((readdirSync(to, { recursive: true }) as string[]).sort()).toEqual([
      '.buildit-spec.yaml',
      'buildit-config.of-spec.yaml',
      'pkgs',
      'pkgs/buildit-config.of-spec.yaml',
    ]);
  });

  test.each([
    ['a directory called like a configuration', [directory('.buildit-config.yaml')]],
    ['one in another case', [directory('a'), directory('a/.Buildit-Config.yaml'), file('a/.Buildit-Config.yaml/b')]],
    ['the file that pull writes', [file('.buildit-spec.yaml')]],
    ['that file in another case', [directory('a'), file('a/.BUILDIT-SPEC.YAML')]],
    ['two configurations', [file('.BUILDIT-config.yaml'), file('.buildit-CONFIG.yaml')]],
  ])('refuses %s', async (_, entries) => {
    const parent = temporaryDirectory();
    const unpacking = unpackSpec(tarOf(...entries), join(parent, 'new'), 'spec');
    await expect(unpacking).rejects.toMatchObject({ code: 'archive-refused' });
    expect(readdirSync(parent)).toEqual([]);
  });

  test('takes no configuration along', async () => {
    const [from, parent] = [temporaryDirectory(), temporaryDirectory()];
    mkdirSync(join(from, 'pkgs'));
    const names = ['container.yaml', '.buildit-config.yaml', '.buildit-spec.yaml', 'pkgs/.buildit-config.yaml'];
    for (const name of names) writeFileSync(join(from, name), 'secret: yes\n');
    const read = names.map((name) => join(from, name));
    await unpackSpec(containerSpec({ directory: from, repositories: [], read }), join(parent, 'new'), 'spec');
    expect(readdirSync(join(parent, 'new')).sort()).toEqual(['.buildit-spec.yaml', 'container.yaml']);
    expect(readFileSync(join(parent, 'new/.buildit-spec.yaml'), 'utf8')).toBe('recipes:\n');
  });

  test('goes into an empty directory, and into none with anything in it', async () => {
    const parent = temporaryDirectory();
    mkdirSync(join(parent, 'empty'));
    expect(await unpackSpec(tarOf(file('a')), join(parent, 'empty'), 'spec')).toBe(1);
    writeFileSync(join(parent, 'file'), '');
    for (const name of ['empty', 'file']) {
      const unpacking = unpackSpec(tarOf(file('a')), join(parent, name), 'spec');
      await expect(unpacking).rejects.toMatchObject({ code: 'cannot-write' });
    }
    symlinkSync('nowhere', join(parent, 'link'));
    await expect(unpackSpec(tarOf(file('a')), join(parent, 'link'), 'spec')).rejects.toMatchObject({
      code: 'cannot-write',
    });
    expect(readdirSync(parent).sort()).toEqual(['empty', 'file', 'link']);
  });

  test.each<[string, () => AsyncIterable<Uint8Array>]>([
    ['a symbolic link', () => gnuTar('ln -s /etc/passwd a; tar cf a.tar a')],
    ['a hard link', () => gnuTar('echo > a; ln a b; tar cf a.tar a b')],
    ['a fifo', () => gnuTar('mkfifo a; tar cf a.tar a')],
    ['a name that leads out', () => gnuTar("echo > a; tar cf a.tar --transform 's,a,../a,' -P a")],
    ['an absolute name', () => gnuTar("echo > a; tar cf a.tar --transform 's,a,/tmp/a,' -P a")],
    ['the same name twice', () => gnuTar('echo > a; tar cf a.tar a a')],
    ['a directory twice', () => gnuTar('mkdir a; tar cf a.tar a a')],
    ['a file where a directory is', () => gnuTar("mkdir a; echo > b; tar cf a.tar --transform 's,b,a,' a b")],
    ['a file below a file', () => gnuTar("echo > a; echo > b; tar cf a.tar --transform 's,b,a/b,' a b")],
    ['a file without its directory', () => tarOf(file('a/b'))],
    ['what git obeys', () => tarOf(directory('.git'), file('.git/config'))],
    ['what git obeys, below and in other letters', () => tarOf(directory('pkgs'), directory('pkgs/.GIT'))],
    ['a bare repository', () => tarOf(file('HEAD'), directory('objects'), directory('refs'))],
    ['a bare repository of other letters', () => tarOf(file('Head'), directory('OBJECTS'), directory('refS'))],
    [
      'a bare repository below, in another order',
      () => tarOf(directory('a'), directory('a/b'), directory('a/b/refs'), directory('a/b/objects'), file('a/b/HEAD')),
    ],
    [
      'files for the directories of a repository',
      () => tarOf(file('HEAD'), file('objects', 0o755), file('refs', 0o755)),
    ],
    [
      'a directory for the HEAD of a repository',
      () => tarOf(directory('HEAD'), directory('objects'), directory('refs')),
    ],
    ['a part of a work tree of git', () => tarOf(directory('a'), file('a/HEAD'), file('a/CommonDir'))],
    ['a file that leads git elsewhere', () => tarOf(directory('a'), file('a/.git'))],
    ...[
      ...[
        '.git.',
        '.git ',
        '.git. .',
        'git~1',
        'GIT~1',
        '.git::$INDEX_ALLOCATION',
        '.g\u200cit',
        '\ufeff.git',
        '.ＧＩＴ',
      ],
      ...['a\\.git', '.hg', '.Hg', '.jj', '.svn', '.bzr', '_darcs', 'hg~1'],
    ].map((name): [string, () => AsyncIterable<Uint8Array>] => [JSON.stringify(name), () => tarOf(file(name))]),
    ['an archive that is cut off', () => gnuTar('head -c 5000 /dev/zero > a; tar cf b a; head -c 2000 b > a.tar')],
    ['something behind the end', () => gnuTar('echo > a; tar cf a.tar a; echo more >> a.tar')],
  ])('with %s is refused, and leaves nothing behind', async (_, tar) => {
    const parent = temporaryDirectory();
    const unpacking = unpackSpec(tar(), join(parent, 'new'), 'spec of x');
    await expect(unpacking).rejects.toMatchObject({ code: 'archive-refused' });
    expect(readdirSync(parent)).toEqual([]);
  });

  test('may have files that only look like a repository', async () => {
    const names = [
      'HEAD',
      'objects',
      'config',
      '.gitignore',
      '.gitattributes',
      '.gitmodules',
      '.github',
      'git',
      'a.git',
    ];
    const to = join(temporaryDirectory(), 'new');
    const tar = tarOf(...names.map((name) => file(name)), directory('refs.d'), file('refs.d/refs'));
    expect(await unpackSpec(tar, to, 'spec')).toBe(names.length + 1);
  });

  test.each([
    [['HEAD', 'objects/.keep', 'refs/.keep', 'config'], 'refs/.keep'],
    [['site/.git/config'], 'site/.git/config'],
    [['a/head', 'a/Objects/x', 'a/REFS/x'], 'a/REFS/x'],
    [['a/HEAD', 'a/commondir'], 'a/commondir'],
  ])('is not made of %j', (paths, named) => {
    const from = temporaryDirectory();
    for (const path of paths) {
      mkdirSync(join(from, dirname(path)), { recursive: true });
      writeFileSync(join(from, path), 'x');
    }
    const read = paths.map((path) => join(from, path));
    expect(() => containerSpec({ directory: from, repositories: [], read })).toThrow(
      expect.objectContaining({
        code: 'definition-invalid',
        message: expect.stringContaining(`Cannot publish "${named}": expected the files of a container, found a`),
      }),
    );
  });
});
