import { constants, copyFileSync, linkSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestTree, TestTreeEntry } from '../build/test-root.ts';
import { ensureTree } from '../layer/ensure-tree.ts';
import { comparePaths } from '../layer/path-order.ts';
import type { LayerFileEntry, ReadContent } from '../layer/write-tar.ts';
import { BuilditError } from '../model/errors.ts';
import type { LayerEntry } from '../model/layer.ts';
import { printable } from '../model/names.ts';
import { ROOT_TOP_LINKS } from '../model/sandbox-contract.ts';
import type { Store } from '../store/store.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import type { ImageLayer } from './image-layer.ts';
import type { MergedTree, TreeSource } from './merge-tree.ts';

/**
 * Lays an image out in a fresh directory that nobody else writes to: directories, links, and files that are hard links
 * into the store wherever they come from a package, so that nothing below may ever be written to. Links at the top are
 * only told, since a sandbox makes them itself. Whoever may pass through the directory can read everything.
 */
export async function layOutTree(
  store: Store,
  { tree, layers }: { readonly tree: MergedTree; readonly layers: readonly ImageLayer[] },
  target: string,
): Promise<TestTree> {
  mkdirSync(target, { mode: 0o755 });
  const places = new FilePlaces(store, layers);
  const sorted = [...tree.entries.values()].sort((a, b) => comparePaths(a.entry.path, b.entry.path));
  const entries: TestTreeEntry[] = [];
  const links = new Map<string, string>();
  for (const { entry, source } of sorted) {
    const { path, mode, uid, gid } = entry;
    const isTop = !path.includes('/');
    const kind = entry.type === 'hardlink' ? 'file' : entry.type;
    entries.push({ path, mode, uid, gid, kind });
    if (entry.type === 'directory') mkdirSync(join(target, path), { mode: 0o755 });
    else if (entry.type !== 'symlink') await places.put(entry, source, join(target, path));
    else if (isTop) links.set(path, entry.target);
    else symlinkSync(entry.target, join(target, path));
  }
  for (const [name, usual] of Object.entries(ROOT_TOP_LINKS)) {
    if (!tree.entries.has(name) && tree.entries.get(usual)?.entry.type === 'directory') links.set(name, usual);
  }
  const top = entries.filter(({ path }) => !path.includes('/'));
  const named = (kind: TestTreeEntry['kind']) => top.filter((entry) => entry.kind === kind).map(({ path }) => path);
  return {
    path: target,
    directories: named('directory'),
    files: named('file'),
    links: [...links].map(([name, linkTarget]) => ({ name, target: linkTarget })),
    entries,
  };
}

/** Where the bytes of each file are: in the tree of its package, or in what a layer on top was drafted from. */
class FilePlaces {
  readonly #store: Store;
  readonly #layers: readonly ImageLayer[];
  readonly #files = new Map<TreeSource, Map<string, LayerFileEntry>>();
  readonly #trees = new Map<TreeSource, Promise<string>>();
  readonly #readers = new Map<TreeSource, Promise<ReadContent>>();

  constructor(store: Store, layers: readonly ImageLayer[]) {
    this.#store = store;
    this.#layers = layers;
  }

  async put(entry: LayerEntry & { readonly type: 'file' | 'hardlink' }, source: TreeSource, target: string) {
    const layer = this.#layers.find((other) => other === source);
    if (layer === undefined) throw new TypeError(`No layer of the image has "${entry.path}"`);
    const original = entry.type === 'file' ? entry : this.#original(source, entry.target);
    if (layer.member !== undefined) {
      const path = await this.#tree(source, layer.member.layer);
      takeOver(join(path, original.path), target, source.name);
    } else {
      await writeFile(target, await this.#read(layer, original), {
        mode: (entry.mode & 0o111) === 0 ? 0o644 : 0o755,
        flag: 'wx',
      });
    }
  }

  #original(source: TreeSource, path: string): LayerFileEntry {
    let files = this.#files.get(source);
    if (files === undefined) {
      files = new Map(source.listing.flatMap((entry) => (entry.type === 'file' ? [[entry.path, entry]] : [])));
      this.#files.set(source, files);
    }
    const original = files.get(path);
    if (original === undefined)
      throw new TypeError(`A hard link of ${source.name} leads to "${path}", which is no file`);
    return original;
  }

  #tree(source: TreeSource, layer: Parameters<typeof ensureTree>[1]): Promise<string> {
    let tree = this.#trees.get(source);
    if (tree === undefined) {
      tree = ensureTree(this.#store, layer);
      this.#trees.set(source, tree);
    }
    return tree;
  }

  async #read(layer: ImageLayer, entry: LayerFileEntry): Promise<Buffer> {
    let reader = this.#readers.get(layer);
    if (reader === undefined) {
      reader = layer.open();
      this.#readers.set(layer, reader);
    }
    const content = (await reader)(entry);
    if (content instanceof Uint8Array) return Buffer.from(content);
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

/** Hard-links a file of a tree in the store; where the file system will not, copies it. */
function takeOver(source: string, target: string, name: string): void {
  const stat = lstatSync(source, { throwIfNoEntry: false });
  if (stat?.isFile() !== true) {
    throw new BuilditError(
      'store-damaged',
      `Cannot lay out a file of ${name}: expected a file at "${printable(source)}", found ${stat === undefined ? 'none' : 'something else'}`,
      { hint: 'run the same command again: the damaged tree is found then, and unpacked again' },
    );
  }
  try {
    linkSync(source, target);
  } catch (error) {
    if (!['EMLINK', 'EXDEV', 'EPERM', 'ENOTSUP'].includes(systemErrorCode(error) ?? '')) throw error;
    copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}
