import { join } from 'node:path';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import { type PackageRecord, RECORD_FORMAT } from '../model/record.ts';
import { readDocument, writeDocument } from './document.ts';
import { namesIn } from './names-in.ts';
import { plainJson } from './plain-json.ts';
import type { Store } from './store.ts';
import { buildKeyPath, recordPath } from './store-paths.ts';

/** Where a record came from: the document another builder signed, with that signature. */
export interface RecordOrigin {
  /** The name of the place. */
  readonly place: string;
  readonly text: string;
  readonly signature: string;
  /** What the place had to prove when it was taken from there. */
  readonly verify: 'require' | 'warn' | 'off';
}

/** A record as this machine keeps it. */
export interface KeptRecord {
  readonly record: PackageRecord;
  /** The SSH signature of this machine over `recordText`; undefined in a store nobody has signed for. */
  readonly seal: string | undefined;
  /** Absent for what was built here. */
  readonly origin: RecordOrigin | undefined;
}

/** What a seal is made over. */
export function recordText(record: PackageRecord): string {
  return `${canonicalJson(plainJson(record))}\n`;
}

/** The record of a HASH; undefined when there is none that is whole and of this format. Its seal is not looked at. */
export async function readRecord(store: Store, hash: Hash): Promise<PackageRecord | undefined> {
  return (await readKeptRecord(store, hash))?.record;
}

export async function readKeptRecord(store: Store, hash: Hash): Promise<KeptRecord | undefined> {
  return keptRecordFrom(readDocument(store, recordPath(store, hash)), hash);
}

/** Keeps a record, findable by its HASH and by its build key. A later record of the same HASH replaces it. */
export async function writeRecord(
  store: Store,
  record: PackageRecord,
  { seal, origin }: Partial<Omit<KeptRecord, 'record'>> = {},
): Promise<void> {
  await writeDocument(store, recordPath(store, record.hash), plainJson({ record, seal, origin }));
  if (record.buildKey !== undefined) {
    await writeDocument(store, buildKeyPath(store, record.buildKey), { hash: record.hash });
  }
}

/** A record whose build saw exactly what this build key stands for, whatever its HASH. */
export async function findByBuildKey(store: Store, buildKey: Digest): Promise<KeptRecord | undefined> {
  const found = readDocument(store, buildKeyPath(store, buildKey)) as { readonly hash: Hash } | undefined;
  const kept = found === undefined ? undefined : await readKeptRecord(store, found.hash);
  return kept?.record.buildKey === buildKey ? kept : undefined;
}

/** All records that are whole, in the order of their HASHes. */
export async function listRecords(store: Store): Promise<readonly PackageRecord[]> {
  const records: PackageRecord[] = [];
  for (const hash of recordHashes(store)) {
    const record = await readRecord(store, hash);
    if (record !== undefined) records.push(record);
  }
  return records;
}

/** HASHes that a record is there for, sorted: for looking up one by a typed prefix without reading them all. */
export function recordHashes(store: Store): readonly Hash[] {
  const top = join(store.directory, 'records');
  return namesIn(top)
    .flatMap((shard) => namesIn(join(top, shard)))
    .filter(isDigest)
    .sort();
}

/** A document without damage can still be of an older format. */
export function keptRecordFrom(value: JsonValue | undefined, hash: Hash): KeptRecord | undefined {
  const kept = value as unknown as Partial<KeptRecord> | undefined;
  const record = kept?.record;
  if (record?.format !== RECORD_FORMAT || record.hash !== hash) return undefined;
  return { record, seal: kept?.seal, origin: kept?.origin };
}
