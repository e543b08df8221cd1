import { append } from '../model/append.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import { printable } from '../model/names.ts';
import type { Hash } from '../model/package-hash.ts';
import type { RemoteStat, RemoteWriter } from '../remote/remote-place.ts';
import { GENERATIONS_DIRECTORY } from './binhost-paths.ts';
import { inParallel, MOST_AT_ONCE } from './upload-blobs.ts';

/** Every file of a place that has a name of ours, by what it is. */
export interface PlaceListing {
  readonly blobs: ReadonlyMap<Digest, RemoteStat>;
  readonly parts: ReadonlyMap<Digest, RemoteStat>;
  readonly generations: ReadonlyMap<number, RemoteStat>;
  readonly records: readonly ListedRecord[];
  /** By path. */
  readonly specs: ReadonlyMap<string, RemoteStat>;
  readonly acis: ReadonlyMap<string, RemoteStat>;
  /** Uploads that are going on or were cut. */
  readonly incoming: ReadonlyMap<string, RemoteStat>;
  /** Paths in directories of ours that no buildit makes; printable. */
  readonly foreign: readonly string[];
}

export interface ListedRecord {
  readonly hash: Hash;
  readonly key: Digest;
  readonly isSigned: boolean;
}

/** Lists a place. Blobs come first: what is uploaded later than that is none of the lister's business. */
export async function listPlace(writer: RemoteWriter): Promise<PlaceListing> {
  const foreign: string[] = [];
  const named = async <Key>(directory: string, keyOf: (name: string) => Key | undefined, ignored?: RegExp) => {
    const found = new Map<Key, RemoteStat>();
    for (const { name, ...stat } of await writer.list(directory)) {
      const key = stat.kind === 'file' ? keyOf(name) : undefined;
      if (key !== undefined) found.set(key, stat);
      else if (ignored?.test(name) !== true) foreign.push(printable(`${directory}/${name}`));
    }
    return found;
  };
  const blobs = await named('blobs/sha256', digestName);
  const parts = await named('index', partName, /^(?:current\.json|gen)$/);
  const generations = await named(GENERATIONS_DIRECTORY, generationName);
  const incoming = await named('.incoming', (name) =>
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name) ? `.incoming/${name}` : undefined,
  );
  const records = await listRecords(writer, foreign);
  const specs = await listTree(writer, 'specs', foreign);
  const acis = await listTree(writer, 'aci', foreign);
  return { blobs, parts, generations, records, specs, acis, incoming, foreign };
}

function digestName(name: string): Digest | undefined {
  return isDigest(name) ? name : undefined;
}

function partName(name: string): Digest | undefined {
  return name.endsWith('.json.zst') ? digestName(name.slice(0, -'.json.zst'.length)) : undefined;
}

function generationName(name: string): number | undefined {
  const [, digits] = /^([1-9][0-9]{0,14})\.json$/.exec(name) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

async function listRecords(writer: RemoteWriter, foreign: string[]): Promise<readonly ListedRecord[]> {
  const hashes: Hash[] = [];
  const shards = await writer.list('packages');
  await inParallel(shards, MOST_AT_ONCE, async ({ name, kind }) => {
    const isShard = kind === 'directory' && /^[0-9a-f]{2}$/.test(name);
    if (!isShard) foreign.push(printable(`packages/${name}`));
    for (const inside of isShard ? await writer.list(`packages/${name}`) : []) {
      const isOurs = inside.kind === 'directory' && isDigest(inside.name) && inside.name.startsWith(name);
      if (isOurs) hashes.push(inside.name);
      else foreign.push(printable(`packages/${name}/${inside.name}`));
    }
  });
  const records: ListedRecord[] = [];
  await inParallel(hashes.sort(), MOST_AT_ONCE, async (hash) => {
    append(records, await recordsOfHash(writer, hash, foreign));
  });
  return records.sort((a, b) => (`${a.hash}${a.key}` < `${b.hash}${b.key}` ? -1 : 1));
}

/** The records that lie there for a HASH, whether an index names them or not. */
export async function recordsOfHash(
  writer: RemoteWriter,
  hash: Hash,
  foreign: string[] = [],
): Promise<readonly ListedRecord[]> {
  const directory = `packages/${hash.slice(0, 2)}/${hash}`;
  const names = new Set<string>();
  for (const { name, kind } of await writer.list(directory)) {
    if (kind === 'file' && /^[0-9a-f]{64}\.json(?:\.sig)?$/.test(name)) names.add(name);
    else foreign.push(printable(`${directory}/${name}`));
  }
  const keys = new Set([...names].map((name) => name.slice(0, 64)));
  return [...keys].map((key) => ({ hash, key, isSigned: names.has(`${key}.json.sig`) }));
}

/** Below author, name and platform there is nothing deeper than this. */
const MOST_DEPTH = 4;

async function listTree(
  writer: RemoteWriter,
  directory: string,
  foreign: string[],
  depth = 0,
): Promise<Map<string, RemoteStat>> {
  const found = new Map<string, RemoteStat>();
  for (const { name, ...stat } of await writer.list(directory)) {
    const path = `${directory}/${name}`;
    if (!/^[A-Za-z0-9][A-Za-z0-9._+~-]*$/.test(name) || name.includes('..')) foreign.push(printable(path));
    else if (stat.kind === 'file') found.set(path, stat);
    else if (stat.kind === 'directory' && depth < MOST_DEPTH)
      for (const [inside, file] of await listTree(writer, path, foreign, depth + 1)) found.set(inside, file);
    else foreign.push(printable(path));
  }
  return found;
}
