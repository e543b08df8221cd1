import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { freeBytesIfKnown, makeDirectory, renameDurably } from '../system/files.ts';
import { writeFailure } from '../system/write-failure.ts';

export interface WrittenFile {
  readonly digest: Digest;
  readonly size: number;
}

/** Writes a stream to a file that appears whole, in place of one that is there. Its directory is made where needed. */
export async function writeStream(path: string, bytes: AsyncIterable<Uint8Array>): Promise<WrittenFile> {
  await prepareDestination(path);
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const written = await writeTemporary(temporary, path, bytes);
    await attempt(path, () => renameDurably(temporary, path));
    return written;
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

/** Makes the directory above a file, refuses a directory in its place, and removes what dead runs left beside it. */
export async function prepareDestination(path: string): Promise<void> {
  const directory = dirname(path);
  await attempt(directory, async () => makeDirectory(directory));
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) {
    throw new BuilditError(
      'cannot-write',
      `Cannot write "${printable(path)}": expected a file or nothing, found a directory`,
    );
  }
  const prefix = `.${basename(path).slice(0, 100)}.`;
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length))) continue;
    await unlink(join(directory, name)).catch(() => undefined);
  }
}

async function writeTemporary(temporary: string, path: string, bytes: AsyncIterable<Uint8Array>): Promise<WrittenFile> {
  const file = await attempt(path, () => open(temporary, 'wx', 0o644));
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of bytes) {
      hash.update(chunk);
      await attempt(path, () => writeAll(file, chunk));
      size += chunk.length;
    }
    await attempt(path, () => file.sync());
    return { digest: hash.digest('hex'), size };
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    offset += (await file.write(bytes, offset, bytes.length - offset)).bytesWritten;
  }
}

async function attempt<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw writeFailure(error, { path, freeBytes: freeBytesIfKnown(dirname(path)) });
  }
}
