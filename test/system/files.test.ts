import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  freeBytes,
  makeDirectory,
  makeTraversableDirectory,
  removeTree,
  writeFileDurably,
} from '../../src/system/files.ts';
import { requires } from '../support/requires.ts';
import { programCommand, startProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const removeTreeProgram = new URL('./programs/remove-tree.ts', import.meta.url);

describe('writeFileDurably', () => {
  test('replaces the file, with the mode that was asked for and nothing left beside it', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'file');
    await writeFileDurably(path, 'one');
    expect(statSync(path).mode & 0o7777).toBe(0o644);
    await writeFileDurably(path, Buffer.from('two'), { mode: 0o600 });
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(statSync(path).mode & 0o7777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['file']);
  });

  test('gives the mode whatever the umask', async () => {
    const path = join(temporaryDirectory(), 'file');
    const umask = process.umask(0o077);
    await writeFileDurably(path, '', { mode: 0o755 }).finally(() => process.umask(umask));
    expect(statSync(path).mode & 0o7777).toBe(0o755);
  });

  test('replaces a symbolic link and leaves what it points to', async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'target'), 'kept');
    symlinkSync('target', join(directory, 'link'));
    await writeFileDurably(join(directory, 'link'), 'new');
    expect(lstatSync(join(directory, 'link')).isFile()).toBe(true);
    expect(readFileSync(join(directory, 'target'), 'utf8')).toBe('kept');
  });

  test('removes what a dead writer of the same file left, and nothing of anybody else', async () => {
    const directory = temporaryDirectory();
    const { child, ended } = startProgram([process.execPath, '-e', '']);
    await ended();
    const marked = (name: string, pid: number) => `.${name}.${pid.toString(16).padStart(6, '0')}c0ffee.tmp`;
    const kept = [marked('file', process.pid), marked('other', child.pid!), marked('file', child.pid!).slice(0, -1)];
    for (const name of [...kept, marked('file', child.pid!)]) writeFileSync(join(directory, name), '');
    await writeFileDurably(join(directory, 'file'), '');
    expect(readdirSync(directory).sort()).toEqual(['file', ...kept].sort());
  });

  test('leaves one of the contents where many write at once', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'file');
    const contents = Array.from({ length: 40 }, (_, index) => `content ${index}`);
    await Promise.all(contents.map((content) => writeFileDurably(path, content)));
    expect(contents).toContain(readFileSync(path, 'utf8'));
    expect(readdirSync(directory)).toEqual(['file']);
  });

  test('says which path cannot be written, and leaves nothing behind', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'taken'));
    await expect(writeFileDurably(join(directory, 'taken'), 'x')).rejects.toMatchObject({ code: 'cannot-write' });
    await expect(writeFileDurably(join(directory, 'no', 'file'), 'x')).rejects.toMatchObject({
      message: `Cannot write "${directory}/no/file": expected a place this user may write to, found no such directory`,
    });
    expect(readdirSync(directory)).toEqual(['taken']);
  });
});

describe('removeTree', () => {
  test('removes nothing where nothing is', async () => {
    await removeTree(join(temporaryDirectory(), 'nothing'));
  });

  test('removes links and never what they point to', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'kept'));
    writeFileSync(join(directory, 'kept/file'), '');
    mkdirSync(join(directory, 'tree'));
    symlinkSync('../kept', join(directory, 'tree/link'));
    symlinkSync('tree', join(directory, 'link'));
    await removeTree(join(directory, 'link'));
    await removeTree(join(directory, 'tree'));
    expect(readdirSync(directory)).toEqual(['kept']);
    expect(existsSync(join(directory, 'kept/file'))).toBe(true);
  });

  test('removes directories without any permission, as an ordinary user', async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o755);
    const parent = join(directory, 'parent');
    const tree = join(parent, 'tree');
    mkdirSync(join(tree, 'closed/inner'), { recursive: true });
    writeFileSync(join(tree, 'closed/inner/file'), '');
    mkdirSync(join(tree, 'read-only/empty'), { recursive: true });
    writeFileSync(join(tree, 'read-only/file'), '');
    mkdirSync(join(tree, 'unsearchable/inner'), { recursive: true });
    const identity = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
    if (identity.uid !== undefined) execFileSync('chown', ['-R', '65534:65534', parent]);
    for (const path of ['closed/inner/file', 'closed/inner', 'closed', 'read-only/empty']) {
      chmodSync(join(tree, path), 0);
    }
    chmodSync(join(tree, 'read-only'), 0o555);
    chmodSync(join(tree, 'unsearchable'), 0o444);
    chmodSync(tree, 0o500);
    const ended = await startProgram(programCommand(removeTreeProgram, tree), identity).ended();
    expect(ended).toMatchObject({ exitCode: 0, stdout: 'removed\n', stderr: '' });
    expect(readdirSync(parent)).toEqual([]);
  });

  test('removes names that are no UTF-8 and trees deeper than a path can say', async () => {
    const directory = temporaryDirectory();
    const tree = join(directory, 'tree');
    mkdirSync(tree);
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe])]), '');
    const name = 'd'.repeat(200);
    execFileSync('sh', [
      '-c',
      `cd "$0" && i=0; while [ $i -lt 60 ]; do mkdir ${name} && cd -P ${name}; i=$((i+1)); done; : > end`,
      tree,
    ]);
    await removeTree(tree);
    expect(readdirSync(directory)).toEqual([]);
  });

  requires('root').test('removes what belongs to another user, when root asks for it', async () => {
    const tree = join(temporaryDirectory(), 'tree');
    mkdirSync(join(tree, 'inner'), { recursive: true });
    writeFileSync(join(tree, 'inner/file'), '');
    for (const path of ['inner/file', 'inner']) chownSync(join(tree, path), 65_534, 65_534);
    chmodSync(join(tree, 'inner'), 0);
    await removeTree(tree);
    expect(existsSync(tree)).toBe(false);
  });
});

describe('makeTraversableDirectory', () => {
  test('lets everybody pass through what it makes and leaves alone what is there', () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o700);
    const umask = process.umask(0o077);
    try {
      makeTraversableDirectory(join(directory, 'a/b/c'));
    } finally {
      process.umask(umask);
    }
    const modes = ['', 'a', 'a/b', 'a/b/c'].map((path) => statSync(join(directory, path)).mode & 0o777);
    expect(modes).toEqual([0o700, 0o755, 0o755, 0o755]);
  });
});

describe('freeBytes', () => {
  test('tells the room below a directory that is yet to be made', async () => {
    const directory = temporaryDirectory();
    const [here, below] = await Promise.all([freeBytes(directory), freeBytes(join(directory, 'a/b'))]);
    expect(here).toBeGreaterThan(0);
    expect(Math.abs(here - below)).toBeLessThan(1024 ** 3);
  });
});

describe('makeDirectory', () => {
  test('makes parents too, and is content with what is there', () => {
    const path = join(temporaryDirectory(), 'a/b/c');
    makeDirectory(path);
    makeDirectory(path);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  test('fails where the system makes no directories, and does not try for ever', () => {
    expect(() => makeDirectory('/proc/buildit/store')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  test('fails below a file', () => {
    const file = join(temporaryDirectory(), 'file');
    writeFileSync(file, '');
    expect(() => makeDirectory(file)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    expect(() => makeDirectory(join(file, 'below'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  });
});
