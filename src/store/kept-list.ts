import type { JsonValue } from '../model/canonical-json.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import type { FileState } from '../system/file-state.ts';
import { readDocument, writeDocument } from './document.ts';
import { listPath } from './kept-directories.ts';
import type { Store } from './store.ts';

/**
 * The list of a kept directory: the state of each entry at a moment when its content was known to be right. Any list that
 * was ever written stays true: an entry that still has the state that it names was not changed since. So lists need no
 * lock, and one that is lost or older than the files costs hashing, never a wrong file.
 */
export interface KeptList {
  /** Of a tree: its layer's listing. Of a root: the layers it is made of. */
  readonly parts: readonly Digest[];
  /** By path, parents before what they hold. */
  readonly files: ReadonlyMap<string, FileState>;
}

const FORMAT = 1;

export function readKeptList(store: Store, directory: string): KeptList | undefined {
  return readDocument(store, listPath(directory), { parse: parseList });
}

/** A list that cannot be written is done without. */
export async function writeKeptList(store: Store, directory: string, { parts, files }: KeptList): Promise<void> {
  const value = { format: FORMAT, parts, files: [...files].flat() };
  await writeDocument(store, listPath(directory), value, { durably: false }).catch(() => undefined);
}

function parseList(value: JsonValue): KeptList | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { format, parts, files } = value as { readonly [key: string]: JsonValue };
  if (format !== FORMAT || !isListOf(parts, isDigest) || !isListOf(files, isAnyString)) return undefined;
  if (files.length % 2 !== 0) return undefined;
  const entries = new Map<string, FileState>();
  for (let index = 0; index < files.length; index += 2) entries.set(files[index]!, files[index + 1]!);
  return { parts, files: entries };
}

function isListOf(value: JsonValue | undefined, is: (text: string) => boolean): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string' && is(text));
}

function isAnyString(): boolean {
  return true;
}
