import { createHash } from 'node:crypto';
import type { Digest } from '../model/digest.ts';
import { printable } from '../model/names.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import type { Verdict } from '../signing/trust.ts';
import { type BinhostIdentity, readIdentity } from './binhost-identity.ts';
import {
  IDENTITY_PATH,
  indexPartPath,
  publishedBlobPath,
  publishedRecordPath,
  signaturePath,
} from './binhost-paths.ts';
import { checkPart, checkPointers } from './check-pointers.ts';
import { specPath } from './container-document.ts';
import { type ContainerEntry, containerTitle } from './container-entry.ts';
import { type IndexEntry, mergeIndex } from './index-part.ts';
import { blobsNamedByContainer, blobsNamedByRecord, type NamedBlobs, type NamingOptions } from './named-blobs.ts';
import { readPins } from './pins.ts';
import { asDamage, type Check, type VerifyPlaceOptions } from './place-check.ts';
import { listPlace, type PlaceListing } from './place-listing.ts';
import { compareFindings, type Finding, isWrong, type PlaceReport } from './place-report.ts';
import type { BlobReference } from './published-record.ts';
import { readContainer, readDocumentAt } from './read-container.ts';
import { readRecordOf } from './record-reading.ts';
import { inParallel, MOST_AT_ONCE } from './upload-blobs.ts';

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
