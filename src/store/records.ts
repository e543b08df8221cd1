import { join } from 'node:path';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import { isCount, isText, objectOf, oneOf, optional, type Shape, shaped, textThat } from '../model/json-shape.ts';
import type { Hash } from '../model/package-hash.ts';
import { type PackageRecord, RECORD_FORMAT } from '../model/record.ts';
import { isPackageRecord } from '../model/record-shape.ts';
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
  const kept = readDocument(store, recordPath(store, hash), { parse: parseRecordDocument });
  return kept === 'older' || kept?.record.hash !== hash ? undefined : kept;
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
  const found = readDocument(store, buildKeyPath(store, buildKey), { parse: parseBuildKey });
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

const isKeptRecord: Shape<KeptRecord> = objectOf({
  record: isPackageRecord,
  seal: optional(isText),
  origin: optional(
    objectOf({ place: isText, text: isText, signature: isText, verify: oneOf('require', 'warn', 'off') }),
  ),
});

/** A record as it is kept; `older` for one of another format, which is no damage. */
export function parseRecordDocument(value: JsonValue): KeptRecord | 'older' | undefined {
  if (isKeptRecord(value)) return value;
  return hasOtherFormat(value) ? 'older' : undefined;
}

const hasOtherFormat = objectOf({
  record: objectOf({ format: (format): format is number => isCount(format) && format !== RECORD_FORMAT }),
});

export const parseBuildKey = shaped(objectOf({ hash: textThat(isDigest) }));
