import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { ImageLayer } from './image-layer.ts';
import type { MergedTree } from './merge-tree.ts';
import type { UserTables } from './user-tables.ts';

/** The content of a file of an image, by its path. */
export type ReadTreeFile = (path: string) => Promise<Buffer>;

/** Reads files of a merged tree; each layer is opened once. */
export function treeReader(tree: MergedTree, layers: readonly ImageLayer[]): ReadTreeFile {
  const readers = new Map<ImageLayer, ReturnType<ImageLayer['open']>>();
  return async (path) => {
    const { entry: named, source } = tree.entries.get(path)!;
    const layer = layers.find((other) => other === source)!;
    const entry = named.type === 'hardlink' ? source.listing.find((other) => other.path === named.target) : named;
    if (entry?.type !== 'file') {
      throw new BuilditError(
        'input-invalid',
        `Cannot read "/${printable(path)}" of ${layer.name}: expected a file, found another kind of entry`,
      );
    }
    if (!readers.has(layer)) readers.set(layer, layer.open());
    const content = (await readers.get(layer)!)(entry);
    if (content instanceof Uint8Array) return Buffer.from(content);
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
}

/** The users and groups of a tree. */
export async function readTables({ entries }: MergedTree, readFile: ReadTreeFile): Promise<UserTables> {
  const read = async (path: string) => (entries.has(path) ? (await readFile(path)).toString('utf8') : undefined);
  return {
    passwd: (await read('etc/passwd')) ?? '',
    group: (await read('etc/group')) ?? '',
    shadow: await read('etc/shadow'),
  };
}
