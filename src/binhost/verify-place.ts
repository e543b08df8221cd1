import { createHash } from 'node:crypto';
import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import type { Verdict } from '../signing/trust.ts';
import { type BinhostIdentity, readIdentity } from './binhost-identity.ts';
import {
  generationPath,
  IDENTITY_PATH,
  indexPartPath,
  POINTER_PATH,
  publishedBlobPath,
  publishedRecordPath,
  signaturePath,
} from './binhost-paths.ts';
import { entryCount, readPart } from './compressed-part.ts';
import { specPath } from './container-document.ts';
import { type ContainerEntry, containerTitle } from './container-entry.ts';
import { EMPTY_INDEX, type IndexContent, type IndexEntry, mergeIndex } from './index-part.ts';
import { blobsNamedByContainer, blobsNamedByRecord, type NamedBlobs, type NamingOptions } from './named-blobs.ts';
import { readPins } from './pins.ts';
import { listPlace, type PlaceListing } from './place-listing.ts';
import { compareFindings, type Finding, type FindingKind, isWrong, type PlaceReport } from './place-report.ts';
import { MOST_POINTER_BYTES, type PartReference, type Pointer } from './pointer.ts';
import type { BlobReference } from './published-record.ts';
import { readContainer, readDocumentAt } from './read-container.ts';
import { readPointer, type TrustPolicy } from './read-pointer.ts';
import { readRecordOf } from './record-reading.ts';
import { FieldFault } from './strict-fields.ts';
import { inParallel, MOST_AT_ONCE } from './upload-blobs.ts';

export interface VerifyPlaceOptions {
  readonly policy: TrustPolicy;
  /** Reads every blob and compares it with its digest. */
  readonly deep: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Reads everything at a place and says what is wrong with it. Changes nothing. */
export async function verifyPlace(writer: RemoteWriter, options: VerifyPlaceOptions): Promise<PlaceReport> {
  const findings: Finding[] = [];
  const check: Check = {
    ...{ writer, options, policy: { ...options.policy, verify: 'require' } },
    found: (kind, path, detail) => findings.push({ kind, path: printable(path), detail: printable(detail) }),
    named: new Map(),
    kept: new Set(),
    unclear: new Set(),
  };
  const listing = await listPlace(writer);
  const identity = await checkIdentity(check);
  const pointer = await checkPointers(check, listing, identity);
  const content = mergeIndex(await checkPart(check, pointer?.tail), await checkPart(check, pointer?.base));
  await checkRecords(check, listing, content.packages);
  await checkContainers(check, listing, content.containers);
  checkNamedBlobs(check, listing);
  if (options.deep) await checkContents(check, listing);
  tellUnreferenced(check, listing);
  const sorted = findings.sort(compareFindings);
  return {
    name: identity?.name ?? '',
    generation: pointer?.generation ?? 0,
    packages: content.packages.length,
    containers: content.containers.length,
    blobs: {
      count: listing.blobs.size,
      bytes: [...listing.blobs.values()].reduce((sum, { size }) => sum + size, 0),
    },
    findings: sorted,
    isSound: !sorted.some(isWrong),
  };
}

interface Check {
  readonly writer: RemoteWriter;
  readonly options: VerifyPlaceOptions;
  readonly policy: TrustPolicy;
  readonly found: (kind: FindingKind, path: string, detail: string) => void;
  /** Blobs that must be there: size, and who names them. */
  readonly named: Map<Digest, { readonly size: number; readonly by: string }>;
  /** Paths and digests that something refers to. */
  readonly kept: Set<string>;
  /** Files that would say what else is named, and cannot be read. */
  readonly unclear: Set<string>;
}

async function checkIdentity({ writer, found }: Check): Promise<BinhostIdentity | undefined> {
  try {
    const identity = await readIdentity(writer);
    if (identity === undefined) found('missing', IDENTITY_PATH, 'this is no binhost, or no longer');
    return identity;
  } catch (error) {
    found('damaged', IDENTITY_PATH, asDamage(error));
    return undefined;
  }
}

/** The pointer and every generation. Answers the newest that can be read, whoever signed it. */
async function checkPointers(
  check: Check,
  listing: PlaceListing,
  identity: BinhostIdentity | undefined,
): Promise<Pointer | undefined> {
  const current = await checkPointer(check, POINTER_PATH, identity);
  if (current === undefined && listing.generations.size > 0)
    check.found('missing', POINTER_PATH, 'generations are there, and no pointer that can be read');
  let newest = current;
  for (const number of [...listing.generations.keys()].sort((a, b) => a - b)) {
    const path = generationPath(number);
    const pointer = await checkPointer(check, path, identity);
    if (pointer === undefined) continue;
    for (const part of [pointer.base, pointer.tail]) if (part !== null) check.kept.add(indexPartPath(part.digest));
    if (pointer.generation !== number) check.found('damaged', path, `it is generation ${pointer.generation}`);
    else if (number === (newest?.generation ?? 0) + 1) newest = pointer;
  }
  if (newest !== undefined && newest !== current && current !== undefined)
    check.found(
      'incomplete',
      POINTER_PATH,
      `generation ${newest.generation} is there; a publisher was cut before naming it`,
    );
  if (newest !== undefined && check.policy.now.getTime() >= Date.parse(newest.expires))
    check.found('expired', POINTER_PATH, `it expired at ${newest.expires}: a publish or \`binhost gc\` renews it`);
  return newest;
}

async function checkPointer(
  { writer, policy, found }: Check,
  path: string,
  identity: BinhostIdentity | undefined,
): Promise<Pointer | undefined> {
  try {
    const answer = await writer.read(path, { maximumBytes: MOST_POINTER_BYTES });
    if (typeof answer === 'string') return undefined;
    const judged = readPointer(answer.bytes, policy);
    const reading = judged.kind === 'pointer' ? judged : readPointer(answer.bytes, { ...policy, verify: 'off' });
    if (reading.kind === 'refused') {
      found('damaged', path, reading.reason);
      return undefined;
    }
    if (judged.kind === 'refused') found('untrusted', path, judged.reason);
    if (identity !== undefined && reading.pointer.id !== identity.id)
      found('damaged', path, 'it is of another binhost');
    return reading.pointer;
  } catch (error) {
    found('damaged', path, asDamage(error));
    return undefined;
  }
}

async function checkPart(
  { writer, found, kept }: Check,
  part: PartReference | null | undefined,
): Promise<IndexContent> {
  if (part === null || part === undefined) return EMPTY_INDEX;
  const path = indexPartPath(part.digest);
  kept.add(path);
  try {
    const answer = await writer.read(path, { maximumBytes: part.size });
    if (typeof answer === 'string') {
      found('missing', path, 'the pointer names it');
      return EMPTY_INDEX;
    }
    if (sha256(answer.bytes) !== part.digest) throw new FieldFault('it is not what its digest says');
    const content = await readPart(answer.bytes);
    if (entryCount(content) !== part.entries)
      throw new FieldFault('it has another number of entries than the pointer says');
    return content;
  } catch (error) {
    found('damaged', path, asDamage(error));
    return EMPTY_INDEX;
  }
}

async function checkRecords(check: Check, listing: PlaceListing, entries: readonly IndexEntry[]): Promise<void> {
  const { writer, policy, found, kept, options } = check;
  const indexed = new Map(entries.map((entry) => [publishedRecordPath(entry.hash, entry.key), entry]));
  const all = new Map<string, { readonly hash: Digest; readonly key: Digest }>([
    ...listing.records.map((record) => [publishedRecordPath(record.hash, record.key), record] as const),
    ...indexed,
  ]);
  await inParallel([...all], MOST_AT_ONCE, async ([path, where]) => {
    const reading = await readRecordOf({ reader: writer, policy }, where, options.signal);
    const entry = indexed.get(path);
    if (entry === undefined) found('unreferenced', path, 'no index names it');
    if (reading.kind === 'missing') return found('missing', path, 'the index names it');
    if (reading.kind === 'damaged') {
      check.unclear.add(path);
      return found('damaged', path, reading.reason);
    }
    const { record, verdict } = reading;
    if (verdict === undefined) found('missing', signaturePath(path), 'the record is not signed');
    else judge(check, path, verdict);
    const agrees = ['buildKey', 'name', 'version', 'platform'] as const;
    if (entry !== undefined && agrees.some((key) => record[key] !== entry[key]))
      found('damaged', path, 'it says something else than the index');
    name(check, blobsNamedByRecord(record), path);
    for (const digest of [...record.sources, ...record.patches])
      if (!listing.blobs.has(digest)) found('incomplete', path, `its source or patch ${digest} is not there`);
    kept.add(path);
  });
}

function judge({ found }: Check, path: string, verdict: Verdict): void {
  if (verdict.kind === 'trusted') return;
  found(verdict.kind === 'invalid' ? 'damaged' : 'untrusted', path, verdict.reason);
}

async function checkContainers(check: Check, listing: PlaceListing, entries: readonly ContainerEntry[]): Promise<void> {
  const { writer, policy, found, options } = check;
  await keepPinned(check, listing);
  for (const entry of entries) {
    const path = publishedBlobPath(entry.document.digest);
    const by = `${containerTitle(entry)}-${entry.version}`;
    name(check, { required: [entry.document], optional: [] }, by);
    const reading = await readContainer({ reader: writer, policy }, entry, options.signal);
    if (reading.kind === 'damaged') found('damaged', path, reading.reason);
    if (reading.kind !== 'document') {
      check.unclear.add(path);
      continue;
    }
    const { document, verdict } = reading;
    if (verdict !== undefined) judge(check, path, verdict);
    name(check, await blobsNamedByContainer(writer, document, naming(check, listing)), by);
    checkView(check, listing.specs.get(specPath(document))?.size, specPath(document));
    for (const aci of document.aci) checkView(check, listing.acis.get(aci.path)?.size, aci.path);
  }
}

/** A file that is missing is told once, by whoever names it. */
function naming(check: Check, { blobs }: PlaceListing): NamingOptions {
  return {
    signal: check.options.signal,
    onFault(path, reason) {
      check.unclear.add(path);
      if (blobs.has(path.split('/').at(-1)!)) check.found('damaged', path, reason);
    },
  };
}

/** A pinned container counts as named, also where the index names a later one of the same version. */
async function keepPinned(check: Check, listing: PlaceListing): Promise<void> {
  for (const { digest, kind } of await readPins(check.writer)) {
    check.kept.add(digest);
    if (kind !== 'container' || !listing.blobs.has(digest)) continue;
    try {
      const document = await readDocumentAt(check.writer, digest);
      check.kept.add(specPath(document));
      for (const { path } of document.aci) check.kept.add(path);
      name(check, await blobsNamedByContainer(check.writer, document, naming(check, listing)), `the pin of ${digest}`);
    } catch (error) {
      check.found('damaged', publishedBlobPath(digest), asDamage(error));
    }
  }
}

/** For other programs; its content may be that of a later container of the same name. */
function checkView({ found, kept }: Check, size: number | undefined, path: string): void {
  kept.add(path);
  if (size === undefined) found('missing', path, 'a container names it');
}

function name({ named, kept }: Check, { required, optional }: NamedBlobs, by: string): void {
  for (const { digest, size } of required) if (!named.has(digest)) named.set(digest, { size, by });
  for (const digest of [...required.map((blob: BlobReference) => blob.digest), ...optional]) kept.add(digest);
}

function checkNamedBlobs({ named, found }: Check, { blobs }: PlaceListing): void {
  for (const [digest, { size, by }] of named) {
    const there = blobs.get(digest);
    if (there === undefined) found('missing', publishedBlobPath(digest), `named by ${by}`);
    else if (there.size !== size)
      found('damaged', publishedBlobPath(digest), `expected ${size} bytes, found ${there.size}; named by ${by}`);
  }
}

async function checkContents({ writer, found, options }: Check, { blobs }: PlaceListing): Promise<void> {
  const total = [...blobs.values()].reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  await inParallel([...blobs], 4, async ([digest, { size }]) => {
    const path = publishedBlobPath(digest);
    const hash = createHash('sha256');
    try {
      const chunks = await writer.open(path, { offset: 0, size, signal: options.signal });
      if (chunks === 'missing') return found('missing', path, 'it was removed meanwhile');
      for await (const chunk of chunks) {
        hash.update(chunk);
        done += chunk.length;
        options.onProgress?.(done, total);
      }
    } catch (error) {
      return found('damaged', path, asDamage(error));
    }
    if (hash.digest('hex') !== digest) found('damaged', path, 'it is not what its digest says');
  });
}

/** Where a file that would name others cannot be read, nobody knows which blobs are wanted. */
function tellUnreferenced({ found, kept, unclear }: Check, listing: PlaceListing): void {
  const tell = (path: string) => found('unreferenced', path, 'nothing names it');
  if (unclear.size === 0)
    for (const digest of listing.blobs.keys()) if (!kept.has(digest)) tell(publishedBlobPath(digest));
  for (const digest of listing.parts.keys()) if (!kept.has(indexPartPath(digest))) tell(indexPartPath(digest));
  for (const path of [...listing.specs.keys(), ...listing.acis.keys()]) if (!kept.has(path)) tell(path);
  for (const path of listing.foreign) found('unreferenced', path, 'no file of a binhost has such a name');
}

/** What is wrong with the bytes is a finding; a place that cannot be reached is no finding but the end. */
function asDamage(error: unknown): string {
  if (error instanceof FieldFault) return error.message;
  if (error instanceof BuilditError && DAMAGE.includes(error.code)) return error.message;
  throw error;
}

const DAMAGE: readonly string[] = ['checksum-mismatch', 'input-invalid', 'archive-refused', 'signature-invalid'];
