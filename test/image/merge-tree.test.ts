import { describe, expect, test } from 'vitest';
import { mergeTree, overlayTree, type TreeSource } from '../../src/image/merge-tree.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { LayerEntry } from '../../src/model/layer.ts';

const facts = { uid: 0, gid: 0, mtime: 1000 };

function dir(path: string, mode = 0o755, uid = 0): LayerEntry {
  return { path, type: 'directory', mode, ...facts, uid };
}

function file(path: string, text = ''): LayerEntry {
  return { path, type: 'file', mode: 0o644, size: text.length, sha256: sha256(text), ...facts };
}

function link(path: string, target: string): LayerEntry {
  return { path, type: 'symlink', mode: 0o777, target, ...facts };
}

function source(name: string, ...listing: readonly LayerEntry[]): TreeSource {
  return { name, listing };
}

describe('the merged tree', () => {
  test('the first package that declares a directory owns its mode and owner', () => {
    const base = source('base', dir('tmp', 0o1777), dir('usr'));
    const app = source('app', dir('tmp'), dir('usr'), file('usr/app'));
    const { entries, disputed } = mergeTree([base, app]);
    expect(entries.get('tmp')).toEqual({ entry: dir('tmp', 0o1777), source: base });
    expect([...disputed]).toEqual(['tmp']);
  });

  test('a directory with another owner in a later package is disputed whatever the mode', () => {
    const { disputed } = mergeTree([source('a', dir('d')), source('b', dir('d', 0o755, 33))]);
    expect([...disputed]).toEqual(['d']);
  });

  test('times alone do not dispute a directory', () => {
    const { disputed } = mergeTree([source('a', dir('d')), source('b', { ...dir('d'), mtime: 5 })]);
    expect(disputed.size).toBe(0);
  });

  test('a path of two packages is an error that names both and the path, once for the pair', () => {
    const a = source('www-servers/nginx', dir('etc'), file('etc/a', '1'), file('etc/b', '1'));
    const b = source('debian/nginx', dir('etc'), file('etc/a', '2'), file('etc/b', '2'));
    expect(() => mergeTree([a, b])).toThrow(
      expect.objectContaining({
        code: 'path-conflict',
        message: 'Cannot put "www-servers/nginx" and "debian/nginx" into one image: both have /etc/a and 1 more',
        details: ['/etc/b'],
      }),
    );
  });

  test('files that are the same in two packages conflict too: one of them is there twice', () => {
    expect(() => mergeTree([source('a', file('x', 'same')), source('b', file('x', 'same'))])).toThrow(/both have \/x/);
  });

  test('a directory over a link, and a link over a directory, are errors', () => {
    const linked = source('base', link('lib', 'usr/lib'));
    const real = source('app', dir('lib'), file('lib/x'));
    expect(() => mergeTree([linked, real])).toThrow('both have /lib (a link and a directory)');
    expect(() => mergeTree([real, linked])).toThrow('both have /lib (a directory and a link)');
  });

  test('all pairs that conflict are told together', () => {
    const sources = [source('a', file('x'), file('y')), source('b', file('x')), source('c', file('y'))];
    expect(() => mergeTree(sources)).toThrow(
      expect.objectContaining({ errors: [expect.anything(), expect.anything()] }),
    );
  });

  test('an overlay replaces files and settles disputes', () => {
    const tree = mergeTree([source('a', dir('d', 0o700), file('d/f', '1')), source('b', dir('d'))]);
    const top = source('top', dir('d', 0o700), file('d/f', '2'));
    const overlaid = overlayTree(tree, top);
    expect(overlaid.entries.get('d/f')).toEqual({ entry: file('d/f', '2'), source: top });
    expect([...tree.disputed]).toEqual(['d']);
    expect(overlaid.disputed.size).toBe(0);
  });

  test('of 150 packages with 30,000 files holds all of them', () => {
    const sources = Array.from({ length: 150 }, (_, number) =>
      source(
        `package-${number}`,
        dir('usr'),
        dir('usr/share'),
        ...Array.from({ length: 200 }, (_, index) => file(`usr/share/${number}-${index}`)),
      ),
    );
    expect(mergeTree(sources).entries.size).toBe(30_002);
  });
});
