import { describe, expect, test } from 'vitest';
import { parentsOf, resolveInTree } from '../../src/image/tree-path.ts';
import type { LayerEntry } from '../../src/model/layer.ts';

const tree: Record<string, string> = {
  sbin: 'usr/sbin',
  'var/run': '/run',
  'etc/deep': '../usr/share/../lib',
  loop: 'loop',
  a: 'b',
  b: 'a',
  dangling: '/nowhere/yet',
  up: '../../../../etc',
};
const directories = ['usr', 'usr/sbin', 'usr/lib', 'usr/share', 'run', 'var', 'etc'];

function lookup(path: string): LayerEntry | undefined {
  const facts = { path, mode: 0o755, uid: 0, gid: 0, mtime: 0 };
  if (Object.hasOwn(tree, path)) return { ...facts, type: 'symlink', target: tree[path]! };
  if (directories.includes(path)) return { ...facts, type: 'directory' };
  if (path === 'etc/passwd') return { ...facts, type: 'file', size: 0, sha256: '' };
  return undefined;
}

describe('a path in an image', () => {
  test.each([
    ['/sbin/nginx', 'usr/sbin/nginx'],
    ['/var/run/nginx.pid', 'run/nginx.pid'],
    ['/etc/deep/x', 'usr/lib/x'],
    ['/dangling/file', 'nowhere/yet/file'],
    ['/up/motd', 'etc/motd'],
    ['/../../etc//./motd', 'etc/motd'],
    ['/new/directory/file', 'new/directory/file'],
    ['/', ''],
  ])('%s leads to %s', (path, expected) => {
    expect(resolveInTree(lookup, path, { followLast: false })).toEqual({ kind: 'path', path: expected });
  });

  test('a link at the end is followed only when asked for', () => {
    expect(resolveInTree(lookup, '/sbin', { followLast: false })).toEqual({ kind: 'path', path: 'sbin' });
    expect(resolveInTree(lookup, '/sbin', { followLast: true })).toEqual({ kind: 'path', path: 'usr/sbin' });
  });

  test('a file in the way and a circle of links are told', () => {
    expect(resolveInTree(lookup, '/etc/passwd/x', { followLast: false })).toEqual({
      kind: 'blocked',
      at: 'etc/passwd',
      reason: 'not a directory',
    });
    expect(resolveInTree(lookup, '/loop/x', { followLast: false })).toMatchObject({ reason: 'a circle of links' });
    expect(resolveInTree(lookup, '/a/x', { followLast: false })).toMatchObject({ reason: 'a circle of links' });
  });

  test('parents come outermost first', () => {
    expect(parentsOf('a/b/c')).toEqual(['a', 'a/b']);
    expect(parentsOf('a')).toEqual([]);
  });
});
