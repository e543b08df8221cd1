import { join } from 'node:path';
import type { JsonValue } from '../model/canonical-json.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import { type PackageRecord, RECORD_FORMAT } from '../model/record.ts';
import { readDocument, writeDocument } from './document.ts';
import { namesIn } from './names-in.ts';
import { plainJson } from './plain-json.ts';
import type { Store } from './store.ts';
import { buildKeyPath, recordPath } from './store-paths.ts';

/** The record of a HASH; undefined when there is none that is whole and of this format. */
export async function readRecord(store: Store, hash: Hash): Promise<PackageRecord | undefined> {
  return recordFrom(readDocument(store, recordPath(store, hash)), hash);
}

/** Keeps a record, findable by its HASH and by its build key. A later record of the same HASH replaces it. */
export async function writeRecord(store: Store, record: PackageRecord): Promise<void> {
  await writeDocument(store, recordPath(store, record.hash), plainJson(record));
  if (record.buildKey !== undefined) {
    await writeDocument(store, buildKeyPath(store, record.buildKey), { hash: record.hash });
  }
}

/** A record whose build saw exactly what this build key stands for, whatever its HASH. */
export async function findByBuildKey(store: Store, buildKey: Digest): Promise<PackageRecord | undefined> {
  const found = readDocument(store, buildKeyPath(store, buildKey)) as { readonly hash: Hash } | undefined;
  const record = found === undefined ? undefined : await readRecord(store, found.hash);
  return record?.buildKey === buildKey ? record : undefined;
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
export function recordFrom(value: JsonValue | undefined, hash: Hash): PackageRecord | undefined {
  const record = value as unknown as PackageRecord | undefined;
  return record?.format === RECORD_FORMAT && record.hash === hash ? record : undefined;
}
