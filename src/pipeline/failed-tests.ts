import { nullable } from '../model/json-shape.ts';
import type { Hash } from '../model/package-hash.ts';
import type { PackageRecord } from '../model/record.ts';
import { isPackageRecord } from '../model/record-shape.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { plainJson } from '../store/plain-json.ts';
import type { Store } from '../store/store.ts';

const NAMESPACE = 'failed-tests';

/**
 * Remembers what a build gave that failed its tests, for a person to look into: it is no record, and nothing is ever made
 * with it. A build that passes takes its place.
 */
export async function noteTests(store: Store, record: PackageRecord, passed: boolean): Promise<void> {
  if (passed && (await readFailedRecord(store, record.hash)) === undefined) return;
  await writeNote(store, NAMESPACE, record.hash, passed ? null : plainJson(record));
}

/** What the last build of a HASH gave, if it failed its tests. */
export async function readFailedRecord(store: Store, hash: Hash): Promise<PackageRecord | undefined> {
  const record = await readNote(store, NAMESPACE, hash, nullable(isPackageRecord));
  return record?.hash === hash ? record : undefined;
}
