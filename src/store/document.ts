import { closeSync, constants, fstatSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import { sha256 } from '../model/digest.ts';
import { freeBytesIfKnown, makeTraversableDirectory, syncDirectory, writeNewFile } from '../system/files.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import { noteUse } from './last-use.ts';
import { moveIntoPlace } from './move-into-place.ts';
import type { Store } from './store.ts';
import { temporaryPath } from './temporary.ts';

/*
 * A document is a small JSON value in a file of its own. Its first line is a digest of where it belongs and what it says,
 * so that neither a damaged document nor one that was copied to another name is ever taken for the right one:
 *
 *     <sha256 of: path below the store, NUL, text>
 *     <text: the value as canonical JSON>
 */
const DIGEST_LENGTH = 64;
const LARGEST_BYTES = 64 * 1024 * 1024;

export interface ReadDocumentOptions<Value> {
  /** Converts the value; undefined for one that no document of this kind has. */
  readonly parse: (value: JsonValue) => Value | undefined;
  readonly countsAsUse?: boolean;
}

/**
 * The value of a document, or undefined: it is not there, or it was damaged or odd and has been removed with a warning.
 * Synchronous, because an image reads hundreds of them and each is a few kilobytes.
 */
export function readDocument<Value>(
  store: Store,
  path: string,
  { parse, countsAsUse = true }: ReadDocumentOptions<Value>,
): Value | undefined {
  const content = readText(path, countsAsUse);
  if (content === undefined) return undefined;
  const json = parseDocument(store, path, content);
  const value = json === undefined ? undefined : parse(json);
  if (value === undefined) removeDamaged(store, path);
  return value;
}

/**
 * Writes a document so that readers see the old one or the new one, whole, also after a crash of the machine unless
 * `durably` is false.
 */
export async function writeDocument(
  store: Store,
  path: string,
  value: JsonValue,
  { durably = true }: { readonly durably?: boolean } = {},
): Promise<void> {
  const text = canonicalJson(value);
  const content = Buffer.from(`${documentDigest(store, path, text)}\n${text}\n`);
  let temporary: string | undefined;
  try {
    temporary = await temporaryPath(store, 'document');
    if (durably) await writeNewFile(temporary, content, 0o644);
    else writeFileSync(temporary, content, { mode: 0o644, flag: 'wx' });
    makeTraversableDirectory(dirname(path));
    await moveIntoPlace(temporary, path);
    if (durably) await syncDirectory(dirname(path));
  } catch (error) {
    if (temporary !== undefined) await unlink(temporary).catch(() => undefined);
    throw writeFailure(error, { path, neededBytes: content.length, freeBytes: freeBytesIfKnown(store.directory) });
  }
}

function parseDocument(store: Store, path: string, content: string): JsonValue | undefined {
  const text = content.slice(DIGEST_LENGTH + 1, -1);
  if (content !== `${documentDigest(store, path, text)}\n${text}\n`) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function documentDigest(store: Store, path: string, text: string): string {
  return sha256(`${relative(store.directory, path)}\0${text}`);
}

/** The text of a regular file; undefined where there is none that can be read, or one of an insane size. */
function readText(path: string, countsAsUse: boolean): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (!stat.isFile() || stat.size > LARGEST_BYTES) return undefined;
    const text = readFileSync(file, 'utf8');
    if (countsAsUse) noteUse(file, stat.mtimeMs);
    return text;
  } catch (error) {
    // A document that cannot be read is a miss like one that is not there, whatever the reason.
    if (systemErrorCode(error) !== undefined) return undefined;
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function removeDamaged(store: Store, path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Removed by somebody else, or not this user's to remove: it stays a miss.
  }
  store.onWarning?.(`"${relative(store.directory, path)}" in the store was damaged and is made again when needed`);
}
