import { existsSync, linkSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TestTree, TestTreeEntry } from '../../src/build/test-root.ts';
import { completeTree } from '../../src/image/complete-tree.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A tree on disk: a text for a file, `-> target` for a link, undefined for a directory. */
function laidOut(files: Readonly<Record<string, string | undefined>>, links: TestTree['links'] = []): TestTree {
  const path = temporaryDirectory();
  const entries: TestTreeEntry[] = [];
  for (const [name, text] of Object.entries(files)) {
    const target = join(path, name);
    mkdirSync(dirname(target), { recursive: true });
    const kind = text === undefined ? 'directory' : text.startsWith('-> ') ? 'symlink' : 'file';
    if (text === undefined) mkdirSync(target);
    else if (kind === 'symlink') symlinkSync(text.slice(3), target);
    else writeFileSync(target, text);
    entries.push({ path: name, kind, mode: 0o755, uid: 0, gid: 0 });
  }
  const top = entries.filter((entry) => entry.kind === 'directory' && !entry.path.includes('/'));
  return { path, directories: top.map((entry) => entry.path), files: [], links, entries };
}

function completed(tree: TestTree, directory = '/'): TestTree {
  return completeTree(tree, 'web-1.0', directory);
}

function textOf({ path }: TestTree, name: string): string {
  return readFileSync(join(path, name), 'utf8');
}

describe('files that engines write', () => {
  test('are there for a tree that has none, even without a directory for them', () => {
    for (const tree of [completed(laidOut({ etc: undefined })), completed(laidOut({}))]) {
      expect(textOf(tree, 'etc/hosts')).toBe('127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n');
      expect(textOf(tree, 'etc/hostname')).toBe('localhost\n');
      expect(textOf(tree, 'etc/resolv.conf')).toBe('# no network\n');
      expect(tree.directories).toContain('etc');
      expect(tree.entries.find(({ path }) => path === 'etc/hosts')).toMatchObject({ kind: 'file', mode: 0o644 });
    }
  });

  test('leave those of the tree that say something, and take the place of empty ones without writing into them', () => {
    const tree = laidOut({ etc: undefined, 'etc/hosts': '10.0.0.1 db\n', 'etc/hostname': ' \n' });
    const stored = join(temporaryDirectory(), 'stored');
    linkSync(join(tree.path, 'etc/hostname'), stored);
    const after = completed(tree);
    expect(textOf(after, 'etc/hosts')).toBe('10.0.0.1 db\n');
    expect(textOf(after, 'etc/hostname')).toBe('localhost\n');
    expect(readFileSync(stored, 'utf8')).toBe(' \n');
  });

  test('take the place of links that lead nowhere, out of the tree or in circles, and follow others', () => {
    const outside = join(temporaryDirectory(), 'hosts');
    const tree = completed(
      laidOut({
        etc: undefined,
        'etc/hosts': '-> ../usr/hosts',
        'etc/hostname': `-> ${outside}`,
        'etc/resolv.conf': '-> resolv.conf',
        usr: undefined,
        'usr/hosts': '1.2.3.4 here\n',
      }),
    );
    expect(textOf(tree, 'etc/hosts')).toBe('1.2.3.4 here\n');
    expect(textOf(tree, 'etc/hostname')).toBe('localhost\n');
    expect(lstatSync(join(tree.path, 'etc/resolv.conf')).isFile()).toBe(true);
    expect(existsSync(outside)).toBe(false);
  });

  test('are left out where /etc is no directory', () => {
    const tree = completed(laidOut({ usr: undefined }, [{ name: 'etc', target: 'usr/etc' }]));
    expect(tree.entries.map(({ path }) => path)).toEqual(['usr']);
  });
});

describe('the working directory', () => {
  test('is made with its parents, and those at the top are told', () => {
    const tree = completed(laidOut({}), '/srv/a/./b/');
    expect(lstatSync(join(tree.path, 'srv/a/b')).isDirectory()).toBe(true);
    expect(tree.directories).toContain('srv');
    expect(tree.entries.filter(({ path }) => path.startsWith('srv'))).toEqual(
      ['srv', 'srv/a', 'srv/a/b'].map((path) => ({ path, kind: 'directory', mode: 0o755, uid: 0, gid: 0 })),
    );
  });

  test('is made where links of the tree lead, those at its top too', () => {
    const files = { usr: undefined, 'usr/lib': undefined, var: undefined, 'var/www': '-> /usr/lib/www' };
    const tree = completed(laidOut(files, [{ name: 'lib', target: 'usr/lib' }]), '/var/www/site');
    expect(lstatSync(join(tree.path, 'usr/lib/www/site')).isDirectory()).toBe(true);
    expect(completed(laidOut(files, [{ name: 'lib', target: 'usr/lib' }]), '/lib/x').entries).toContainEqual(
      expect.objectContaining({ path: 'usr/lib/x' }),
    );
  });

  test('below /tmp leaves /tmp for everybody to write to', () => {
    const tree = completed(laidOut({}), '/tmp/work');
    expect(tree.entries.find(({ path }) => path === 'tmp')?.mode).toBe(0o1777);
  });

  test.each([
    ['a file', { srv: 'text' }, '/srv'],
    ['below a file', { srv: 'text' }, '/srv/x'],
    ['a circle of links', { a: undefined, 'a/x': '-> x' }, '/a/x'],
    ['of the kernel', {}, '/proc/1/none'],
  ])('that is %s is refused by its name', (_what, files, directory) => {
    expect(() => completed(laidOut(files), directory)).toThrow(
      `Cannot start "web-1.0" in "${directory}": expected a directory or nothing there, found something else`,
    );
  });
});
