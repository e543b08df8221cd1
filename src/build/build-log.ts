import { createReadStream, createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { type Digest, isDigest } from '../model/digest.ts';
import { isText, objectOf, oneOf, type Shape, textThat } from '../model/json-shape.ts';
import { printable } from '../model/names.ts';
import type { Hash } from '../model/package-hash.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { putBlob } from '../store/put-blob.ts';
import type { Store } from '../store/store.ts';
import { blobPath } from '../store/store-paths.ts';
import { temporaryPath } from '../store/temporary.ts';
import { removeTree } from '../system/files.ts';

/** Notes about logs are kept under this namespace, by HASH and by the package's name (the latest build of it). */
const LOG_NOTES = 'logs';

/** The note about a log, as JSON. */
export type LogNote = {
  readonly hash: Hash;
  readonly name: string;
  readonly version: string;
  readonly outcome: 'built' | 'failed';
  /** Digest of the blob that holds the log. */
  readonly log: Digest;
  readonly startedAt: string;
  readonly finishedAt: string;
};

const isLogNote: Shape<LogNote> = objectOf({
  hash: textThat(isDigest),
  name: isText,
  version: isText,
  outcome: oneOf('built', 'failed'),
  log: textThat(isDigest),
  startedAt: isText,
  finishedAt: isText,
});

/** The note about the last build of a HASH, or of a package by name. */
export async function readLogNote(store: Store, key: string): Promise<LogNote | undefined> {
  return readNote(store, LOG_NOTES, key, isLogNote);
}

/** The log of a running build: a file while it runs, then a blob. */
export interface BuildLog {
  write(chunk: Uint8Array): void;
  /** The last lines, safe for a terminal. */
  tail(lines: number): readonly string[];
  /** Stores the log and notes where it is. Called again, it answers what it did the first time. */
  keep(note: Omit<LogNote, 'log'>): Promise<KeptLog>;
}

export interface KeptLog {
  readonly digest: Digest;
  readonly path: string;
}

export async function openBuildLog(store: Store, label: string): Promise<BuildLog> {
  const path = await temporaryPath(store, `log-${label}`);
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  let failure: Error | undefined;
  file.on('error', (error) => {
    failure ??= error;
  });
  const keepLog = async (note: Omit<LogNote, 'log'>): Promise<KeptLog> => {
    try {
      file.end();
      await finished(file);
      if (failure !== undefined) throw failure;
      const { digest } = await putBlob(store, createReadStream(path), { what: `log of ${label}` });
      for (const key of [note.hash, note.name]) await writeNote(store, LOG_NOTES, key, { ...note, log: digest });
      return { digest, path: blobPath(store, digest) };
    } finally {
      await removeTree(path);
    }
  };
  let kept: Promise<KeptLog> | undefined;
  const end = createLogTail();
  return {
    write(chunk) {
      end.add(chunk);
      file.write(chunk);
    },
    tail: end.lines,
    keep(note) {
      kept ??= keepLog(note);
      return kept;
    },
  };
}

const TAIL_BYTES = 64 * 1024;

/** The end of a log whose bytes come chunk by chunk; `lines` answers the last ones, safe for a terminal. */
export function createLogTail() {
  const end: Uint8Array[] = [];
  let endBytes = 0;
  return {
    add(chunk: Uint8Array): void {
      end.push(chunk);
      endBytes += chunk.length;
      while (endBytes - end[0]!.length > TAIL_BYTES) endBytes -= end.shift()!.length;
    },
    lines: (count: number): readonly string[] => logLines(Buffer.concat(end).toString('utf8')).slice(-count),
  };
}

/** Escape sequences of ECMA-48 (CSI, OSC and other strings, two-character ones). */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;

/** Lines of a log as a person would have seen them, without anything a terminal would act on. */
export function logLines(text: string): string[] {
  const lines = text.replaceAll(ESCAPES, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => printable(line.slice(line.lastIndexOf('\r') + 1).replaceAll('\t', '    ')).slice(0, 500));
}
