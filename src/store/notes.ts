import type { JsonValue } from '../model/canonical-json.ts';
import { type Shape, shaped } from '../model/json-shape.ts';
import { readDocument, writeDocument } from './document.ts';
import type { Store } from './store.ts';
import { notePath } from './store-paths.ts';

/**
 * A small value that was computed before and can be computed again, by any text as its key. Garbage collection removes
 * notes that were not read for long; every digest in a note that stays keeps the blob of that name. A note of another shape
 * is removed with a warning, like a damaged one.
 */
export async function readNote<Value>(
  store: Store,
  namespace: string,
  key: string,
  is: Shape<Value>,
): Promise<Value | undefined> {
  return readDocument(store, notePath(store, namespace, key), { parse: shaped(is) });
}

export async function writeNote(store: Store, namespace: string, key: string, value: JsonValue): Promise<void> {
  await writeDocument(store, notePath(store, namespace, key), value);
}
