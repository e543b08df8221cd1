import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { RemoteStat, RemoteWriter } from '../remote/remote-place.ts';
import {
  generationPath,
  indexPartPath,
  POINTER_PATH,
  publishedBlobPath,
  publishedRecordPath,
} from './binhost-paths.ts';
import { type CommitOptions, commitEntries, newestGeneration, readNewestIndex } from './commit-entries.ts';
import { type ContainerDocument, specPath } from './container-document.ts';
import { EMPTY_INDEX } from './index-part.ts';
import { blobsNamedByContainer, blobsNamedByRecord, type NamedBlobs } from './named-blobs.ts';
import { readPins } from './pins.ts';
import { listPlace, type PlaceListing } from './place-listing.ts';
import { MOST_POINTER_BYTES, type Pointer } from './pointer.ts';
import { readDocumentAt } from './read-container.ts';
import { readPointer } from './read-pointer.ts';
import { readRecordOf } from './record-reading.ts';
import { FieldFault } from './strict-fields.ts';
import { inParallel, MOST_AT_ONCE } from './upload-blobs.ts';

export type GarbageKind = 'blobs' | 'index parts' | 'generations' | 'specs' | 'aci' | 'unfinished uploads';

export interface CollectedPlace {
  readonly isDryRun: boolean;
  /** After folding; 0 where there is no index. */
  readonly generation: number;
  readonly categories: readonly { readonly kind: GarbageKind; readonly count: number; readonly bytes: number }[];
  readonly bytes: number;
}

export interface CollectPlaceOptions {
  readonly commit: CommitOptions;
  /** What is younger by the place's own clock stays: it may belong to an upload that goes on. */
  readonly minimumAgeMs: number;
  readonly isDryRun: boolean;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** So many of the last generations stay, with their parts: somebody may just be reading them. */
const KEPT_GENERATIONS = 10;

interface Garbage {
  readonly kind: GarbageKind;
  readonly path: string;
  readonly stat: RemoteStat;
}

/**
 * Frees a place of what nothing refers to: no record, no container of the index, no pointer of a generation that is kept,
 * no pin. The index is folded into one base and signed anew first.
 *
 * Safe beside publishers: they touch what is there already and upload before they name, files are listed before names are
 * read, and the time of each is asked once more before it goes. A file that says what others are named and cannot be read
 * ends the collection before anything is removed.
 */
export async function collectPlace(writer: RemoteWriter, options: CollectPlaceOptions): Promise<CollectedPlace> {
  const { commit, minimumAgeMs, isDryRun, onProgress } = options;
  const before = (await writer.now()) - minimumAgeMs / 1000;
  const listing = await listPlace(writer);
  const generation = isDryRun
    ? (await readNewestIndex(writer, commit)).generation
    : await commitEntries(writer, EMPTY_INDEX, commit, { refold: true });
  const kept = await whatIsNamed(writer, listing, options, before);
  const garbage = garbageOf(listing, kept).filter(({ stat }) => stat.mtime < before);
  const removed: Garbage[] = [];
  await inParallel(garbage, MOST_AT_ONCE, async (item) => {
    commit.signal?.throwIfAborted();
    if (isDryRun || (await removeIfStillOld(writer, item, before))) removed.push(item);
    onProgress?.(removed.length, garbage.length);
  });
  return { isDryRun, generation, ...counted(removed) };
}

async function removeIfStillOld(writer: RemoteWriter, { path }: Garbage, before: number): Promise<boolean> {
  const stat = await writer.stat(path);
  if (stat?.kind !== 'file' || stat.mtime >= before) return false;
  await writer.remove(path);
  return true;
}

function counted(garbage: readonly Garbage[]): Pick<CollectedPlace, 'categories' | 'bytes'> {
  const totals = new Map<GarbageKind, { kind: GarbageKind; count: number; bytes: number }>();
  for (const { kind, stat } of garbage) {
    const { count, bytes } = totals.get(kind) ?? { count: 0, bytes: 0 };
    totals.set(kind, { kind, count: count + 1, bytes: bytes + stat.size });
  }
  const categories = [...totals.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1));
  return { categories, bytes: categories.reduce((sum, { bytes }) => sum + bytes, 0) };
}

function garbageOf(listing: PlaceListing, kept: ReadonlySet<string>): readonly Garbage[] {
  const of = <Key>(kind: GarbageKind, files: ReadonlyMap<Key, RemoteStat>, pathOf: (key: Key) => string) =>
    [...files].map(([key, stat]) => ({ kind, path: pathOf(key), stat })).filter(({ path }) => !kept.has(path));
  const itself = (path: string) => path;
  return [
    ...of('generations', listing.generations, generationPath),
    ...of('index parts', listing.parts, indexPartPath),
    ...of('specs', listing.specs, itself),
    ...of('aci', listing.acis, itself),
    ...of('unfinished uploads', listing.incoming, itself),
    ...of('blobs', listing.blobs, publishedBlobPath),
  ];
}

/** Paths that something refers to. */
async function whatIsNamed(
  writer: RemoteWriter,
  listing: PlaceListing,
  { commit }: CollectPlaceOptions,
  before: number,
): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  const keep = ({ required, optional }: NamedBlobs) => {
    for (const { digest } of required) kept.add(publishedBlobPath(digest));
    for (const digest of optional) kept.add(publishedBlobPath(digest));
  };
  for (const path of await namedByGenerations(writer, listing, commit, before)) kept.add(path);
  await inParallel(listing.records, MOST_AT_ONCE, async (where) => {
    const reading = await readRecordOf({ reader: writer, policy: commit.policy }, where, commit.signal);
    if (reading.kind === 'damaged') throw unclear(writer, publishedRecordPath(where.hash, where.key), reading.reason);
    if (reading.kind === 'record') keep(blobsNamedByRecord(reading.record));
  });
  const { content } = await readNewestIndex(writer, commit);
  const listed = new Set(listing.records.map(({ hash, key }) => publishedRecordPath(hash, key)));
  const published = content.packages.filter(({ hash, key }) => !listed.has(publishedRecordPath(hash, key)));
  await inParallel(published, MOST_AT_ONCE, async (entry) => {
    const reading = await readRecordOf({ reader: writer, policy: commit.policy }, entry, commit.signal);
    if (reading.kind === 'record') keep(blobsNamedByRecord(reading.record));
  });
  const pins = await readPins(writer);
  const documents = [
    ...content.containers.map(({ document }) => document.digest),
    ...pins.flatMap(({ kind, digest }) => (kind === 'container' && listing.blobs.has(digest) ? [digest] : [])),
  ];
  for (const digest of new Set(documents)) {
    kept.add(publishedBlobPath(digest));
    const document = await documentAt(writer, digest);
    keep(await blobsNamedByContainer(writer, document, { signal: commit.signal }));
    kept.add(specPath(document));
    for (const { path } of document.aci) kept.add(path);
  }
  return kept;
}

/** The generations that stay, and the parts they name. */
async function namedByGenerations(
  writer: RemoteWriter,
  listing: PlaceListing,
  commit: CommitOptions,
  before: number,
): Promise<readonly string[]> {
  const newest = (await newestGeneration(writer, commit))?.pointer;
  if (newest === undefined) return [POINTER_PATH];
  const named = [newest];
  for (const [number, { mtime }] of listing.generations) {
    if (number <= newest.generation - KEPT_GENERATIONS && mtime < before) continue;
    const pointer = await pointerAt(writer, number, commit);
    if (pointer !== undefined) named.push(pointer);
  }
  return named.flatMap(({ generation, base, tail }) => [
    generationPath(generation),
    ...[base, tail].flatMap((part) => (part === null ? [] : [indexPartPath(part.digest)])),
  ]);
}

async function pointerAt(
  writer: RemoteWriter,
  number: number,
  { policy }: CommitOptions,
): Promise<Pointer | undefined> {
  const answer = await writer.read(generationPath(number), { maximumBytes: MOST_POINTER_BYTES });
  if (typeof answer === 'string') return undefined;
  const reading = readPointer(answer.bytes, { ...policy, verify: 'off' });
  return reading.kind === 'pointer' ? { ...reading.pointer, generation: number } : undefined;
}

async function documentAt(writer: RemoteWriter, digest: Digest): Promise<ContainerDocument> {
  try {
    return await readDocumentAt(writer, digest);
  } catch (error) {
    if (error instanceof FieldFault) throw unclear(writer, publishedBlobPath(digest), error.message);
    throw error;
  }
}

function unclear(writer: RemoteWriter, path: string, reason: string): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot tell what may go at ${writer.shown}: expected "${path}" to say what it names, found it damaged: ${reason}`,
    { hint: 'nothing was removed; `buildit binhost verify` says what is damaged, `buildit binhost rm` takes it away' },
  );
}
