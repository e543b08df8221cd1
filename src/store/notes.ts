import type { JsonValue } from '../model/canonical-json.ts';
import { readDocument, writeDocument } from './document.ts';
import type { Store } from './store.ts';
import { notePath } from './store-paths.ts';

/**
 * A small value that was computed before and can be computed again, by any text as its key. Garbage collection removes
 * notes that were not read for long; every digest in a note that stays keeps the blob of that name.
 */
export async function readNote(store: Store, namespace: string, key: string): Promise<JsonValue | undefined> {
  return readDocument(store, notePath(store, namespace, key));
}

export async function writeNote(store: Store, namespace: string, key: string, value: JsonValue): Promise<void> {
  await writeDocument(store, notePath(store, namespace, key), value);
}
