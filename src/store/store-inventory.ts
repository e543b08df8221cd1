import { type Dirent, lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { systemErrorCode } from '../system/write-failure.ts';
import { listKeptDirectories } from './kept-directories.ts';
import { namesIn } from './names-in.ts';
import type { Store } from './store.ts';

export const STORE_CATEGORIES = [
  'blobs',
  'trees',
  'roots',
  'records',
  'build-keys',
  'encodings',
  'notes',
  'uses',
  'failed',
  'temporary',
] as const;
export type StoreCategory = (typeof STORE_CATEGORIES)[number];

/** One thing in the store that is kept or removed as a whole: a file, or a directory with everything in it. */
export interface StoreItem {
  readonly category: StoreCategory;
  readonly path: string;
  /** The name of its file or directory: in most categories a digest. */
  readonly name: string;
  /** When it was last used, to the day. */
  readonly usedMs: number;
  /** False for what was made in an earlier boot of the machine and not verified since. */
  readonly current: boolean;
}

/** Everything in one category, in no particular order. What vanishes meanwhile is left out. */
export function listItems(store: Store, category: StoreCategory): readonly StoreItem[] {
  const top = join(store.directory, category);
  switch (category) {
    case 'trees':
    case 'roots':
      return listKeptDirectories(store, category).flatMap(({ digest, path, current }) =>
        itemAt(category, path, digest, current),
      );
    case 'notes':
      return namesIn(top).flatMap((namespace) => shardedItems(category, join(top, namespace)));
    case 'blobs':
      return shardedItems(category, join(top, 'sha256'));
    case 'temporary':
      return shardedItems(category, top);
    case 'failed':
      return namesIn(top).flatMap((name) => itemAt(category, join(top, name), name, true));
    default:
      return shardedItems(category, top);
  }
}

function shardedItems(category: StoreCategory, directory: string): StoreItem[] {
  return namesIn(directory).flatMap((shard) =>
    namesIn(join(directory, shard)).flatMap((name) => itemAt(category, join(directory, shard, name), name, true)),
  );
}

function itemAt(category: StoreCategory, path: string, name: string, current: boolean): StoreItem[] {
  const stat = statOf(path);
  return stat === undefined ? [] : [{ category, path, name, usedMs: stat.mtimeMs, current }];
}

/** A file or directory with the room it takes on the disk, as du counts: several may be names of one file. */
export interface Occupant {
  /** Device and inode. */
  readonly identity: string;
  readonly links: number;
  readonly bytes: number;
}

const ENTRIES_BETWEEN_PAUSES = 512;

/** An item and everything below it. What cannot be looked into or vanishes meanwhile is left out. */
export async function* occupantsOf(path: string): AsyncGenerator<Occupant> {
  const open: Buffer[] = [Buffer.from(path)];
  let handled = 0;
  while (open.length > 0) {
    const place = open.pop()!;
    const stat = statOf(place);
    if (stat === undefined) continue;
    const isDirectory = stat.isDirectory();
    yield { identity: `${stat.dev}:${stat.ino}`, links: isDirectory ? 1 : stat.nlink, bytes: stat.blocks * 512 };
    if (isDirectory) {
      for (const entry of entriesOf(place)) open.push(Buffer.concat([place, Buffer.from('/'), entry.name]));
    }
    handled += 1;
    if (handled % ENTRIES_BETWEEN_PAUSES === 0) await new Promise((resume) => setImmediate(resume));
  }
}

function statOf(path: string | Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

function entriesOf(directory: Buffer): readonly Dirent<Buffer>[] {
  try {
    return readdirSync(directory, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return [];
  }
}
