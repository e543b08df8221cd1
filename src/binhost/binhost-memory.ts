import { isText, nullable, objectOf, oneOf } from '../model/json-shape.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { plainJson } from '../store/plain-json.ts';
import type { Store } from '../store/store.ts';

const NOTES = 'binhosts';
const FORMAT = 1;

const isMemory = objectOf({ format: oneOf(FORMAT), pointer: isText, etag: nullable(isText) });

/** What was last accepted from a place: nothing older is taken from it again. */
export interface BinhostMemory {
  /** The pointer's file, whole. */
  readonly pointer: string;
  readonly etag: string | undefined;
}

/** `place` is the place's name and address: another address is another place. */
export async function recallBinhost(store: Store, place: string): Promise<BinhostMemory | undefined> {
  const note = await readNote(store, NOTES, place, isMemory);
  return note === undefined ? undefined : { pointer: note.pointer, etag: note.etag ?? undefined };
}

export async function rememberBinhost(store: Store, place: string, { pointer, etag }: BinhostMemory): Promise<void> {
  await writeNote(store, NOTES, place, plainJson({ format: FORMAT, pointer, etag: etag ?? null }));
}
