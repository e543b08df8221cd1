import { createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decompress, detectCompression } from '../layer/decompress.ts';
import { readTar } from '../layer/read-tar.ts';
import { MAXIMUM_ZIP_BYTES, readZip, ZIP_MAGIC } from '../layer/read-zip.ts';
import type { TarMember } from '../layer/tar-member.ts';
import { unpackTree } from '../layer/unpack-tree.ts';
import type { BuildRequest } from '../model/build-request.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import { openBlob, readBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { throwIfInterrupted } from './throw-if-interrupted.ts';

type Source = BuildRequest['sources'][number];

/**
 * Puts a source where its definition says below the source tree: an archive by its content, a kept file as it is. Each
 * archive is unpacked in a fresh directory first: what an earlier one left, such as a link, is never followed. Answers
 * the newest time in an archive, in seconds.
 */
export async function unpackSource(
  store: Store,
  source: Source,
  tree: string,
  fresh: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const { digest, fileName, strip } = source;
  if (source.action === 'keep') {
    if (!isCleanRelativePath(fileName) || fileName.includes('/')) throw refusal(source, 'a file name', fileName);
    const directory = await realDirectory(tree, source);
    const target = join(directory, fileName);
    const there = await lstat(target).catch(() => undefined);
    if (there !== undefined) throw refusal(source, 'a name that no earlier source has', fileName);
    await copyBlob(store, digest, target, 0o644);
    return undefined;
  }
  if (source.clears !== undefined) await clear(tree, source, source.clears);
  await mkdir(fresh, { mode: 0o755 });
  await chmod(fresh, 0o755);
  const blob = untilInterrupted(openBlob(store, digest), signal);
  try {
    const members = await archiveMembers(store, source, blob);
    const { entries, newestMtime } = await unpackTree(members, fresh, { strip, what: fileName });
    if (entries === 0) throw nothingLeft(source);
    await moveContent(fresh, await realDirectory(tree, source), source);
    return newestMtime;
  } finally {
    // Whoever gave up before the first byte has not closed it.
    await blob.return();
  }
}

/** What earlier sources put at one name of the tree goes; links are removed and not followed. */
async function clear(tree: string, source: Source, name: string): Promise<void> {
  if (!isCleanRelativePath(name) || name.includes('/')) throw refusal(source, 'a name', name);
  await rm(join(tree, name), { recursive: true, force: true });
}

const MAXIMUM_DIFF_BYTES = 256 << 20;

/** The text of a source that is a diff, latin1. */
export async function readDiff(store: Store, { digest, fileName }: Source): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of await decompressDetected(openBlob(store, digest), fileName)) {
    bytes += chunk.length;
    if (bytes > MAXIMUM_DIFF_BYTES) {
      throw new BuilditError(
        'archive-refused',
        `Cannot use "${printable(fileName)}": expected a diff, found gigabytes`,
      );
    }
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks).toString('latin1');
}

/** A copy, not a link: the build may write to it, and the store must not change. */
export async function copyBlob(store: Store, digest: Digest, target: string, mode: number): Promise<void> {
  await pipeline(Readable.from(openBlob(store, digest)), createWriteStream(target, { flags: 'wx' }));
  await chmod(target, mode);
}

async function* untilInterrupted(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of bytes) {
    if (signal !== undefined) throwIfInterrupted(signal);
    yield chunk;
  }
}

/** A zip archive is read from memory, for its directory is at its end; everything else is a tar, compressed or not. */
export async function archiveMembers(
  store: Store,
  { digest, fileName }: Pick<Source, 'digest' | 'fileName'>,
  bytes: AsyncGenerator<Uint8Array>,
): Promise<AsyncIterable<TarMember>> {
  const { start, whole } = await peeked(bytes);
  if (start.subarray(0, ZIP_MAGIC.length).equals(ZIP_MAGIC)) {
    const archive = await readBlob(store, digest, { maxBytes: MAXIMUM_ZIP_BYTES });
    return asynchronous(readZip(archive, { what: fileName }));
  }
  const tar = await decompress(whole, detectCompression(start), { what: fileName });
  return readTar(tar, { what: fileName });
}

async function decompressDetected(bytes: AsyncGenerator<Uint8Array>, what: string): Promise<AsyncIterable<Uint8Array>> {
  const { start, whole } = await peeked(bytes);
  return decompress(whole, detectCompression(start), { what });
}

/** The first bytes, by which a kind is told, and all of them. */
async function peeked(bytes: AsyncGenerator<Uint8Array>) {
  let start = Buffer.alloc(0);
  while (start.length < 6) {
    const next = await bytes.next();
    if (next.done === true) break;
    start = Buffer.concat([start, next.value]);
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield start;
    yield* bytes;
  }
  return { start, whole: whole() };
}

async function* asynchronous<Item>(items: Iterable<Item>): AsyncGenerator<Item, void, undefined> {
  yield* items;
}

/** The directory of a source: each element a real directory, made where it is missing. */
async function realDirectory(tree: string, source: Source): Promise<string> {
  if (source.directory === '.') return tree;
  if (!isCleanRelativePath(source.directory)) throw refusal(source, 'a clean relative path', source.directory);
  let path = tree;
  for (const element of source.directory.split('/')) {
    path = join(path, element);
    const stat = await lstat(path).catch(() => undefined);
    if (stat === undefined) {
      await mkdir(path);
      await chmod(path, 0o755);
    } else if (!stat.isDirectory()) {
      throw refusal(source, 'a directory or nothing', `something else at ${source.directory}`);
    }
  }
  return path;
}

/** Moves what is in one directory into another; directories that are in both are joined, anything else is a conflict. */
async function moveContent(from: string, to: string, source: Source): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [old, place] = [join(from, entry.name), join(to, entry.name)];
    const there = await lstat(place).catch(() => undefined);
    if (there === undefined) await rename(old, place);
    else if (there.isDirectory() && entry.isDirectory()) await moveContent(old, place, source);
    else throw refusal(source, 'files that no other source has', entry.name);
  }
  await rmdir(from);
}

function nothingLeft({ fileName, strip }: Source): BuilditError {
  const below = strip === 0 ? '' : ` below ${strip} leading ${strip === 1 ? 'directory' : 'directories'}`;
  return new BuilditError(
    'definition-invalid',
    `Cannot unpack "${printable(fileName)}": expected files${below}, found none`,
    { hint: strip === 0 ? undefined : 'strip: 0 in the source keeps paths as they are in the archive' },
  );
}

function refusal({ fileName }: Source, expected: string, found: string): BuilditError {
  return new BuilditError(
    'definition-invalid',
    `Cannot unpack "${printable(fileName)}": expected ${expected}, found "${printable(found)}"`,
  );
}
