import { createWriteStream } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { shownName } from '../layer/byte-names.ts';
import {
  decompressBlob,
  describeArchive,
  inWordsOfRecipe,
  readSourceArchive,
  type SourceArchive,
} from '../layer/read-source-archive.ts';
import { type UnpackedTree, unpackTree } from '../layer/unpack-tree.ts';
import { undecidedHint } from '../model/archive-format.ts';
import type { BuildRequest } from '../model/build-request.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import { openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { throwIfInterrupted } from './throw-if-interrupted.ts';

type Source = BuildRequest['sources'][number];

/** Whose source it is, and what ends the work early. */
export interface UnpackContext {
  /** The name of the recipe, for messages. */
  readonly recipe?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Puts a source where its definition says below the source tree: an archive by its content, a kept file as it is. Each
 * archive is unpacked in a fresh directory first: what an earlier one left, such as a link, is never followed. Answers
 * the newest time in an archive, in seconds. As dpkg-source(1) does, a layout of its own takes the top directory off only
 * where it is all that the archive holds.
 */
export async function unpackSource(
  store: Store,
  source: Source,
  tree: string,
  fresh: string,
  context: UnpackContext = {},
): Promise<number | undefined> {
  if (source.action === 'keep') {
    await keepSource(store, source, tree, context);
    return undefined;
  }
  if (source.clears !== undefined) await clear(tree, source, source.clears);
  await mkdir(fresh, { mode: 0o755 });
  await chmod(fresh, 0o755);
  const { newestMtime, content } = await unpackArchive(store, source, fresh, context);
  await moveContent(content, await realDirectory(tree, source), source);
  if (content !== fresh) await rmdir(fresh);
  return newestMtime;
}

async function keepSource(store: Store, source: Source, tree: string, { recipe }: UnpackContext): Promise<void> {
  const { digest, fileName } = source;
  if (!isCleanRelativePath(fileName) || fileName.includes('/')) throw refusal(source, 'a file name', fileName);
  if (source.isUndecided === true) {
    const archive = await describeArchive(store, digest);
    if (archive !== undefined) throw undecided(fileName, archive, recipe);
  }
  const directory = await realDirectory(tree, source);
  const target = join(directory, fileName);
  const there = await lstat(target).catch(() => undefined);
  if (there !== undefined) throw refusal(source, 'a name that no earlier source has', fileName);
  await copyBlob(store, digest, target, 0o644);
}

function undecided(fileName: string, archive: string, recipe: string | undefined): BuilditError {
  const owner = recipe === undefined ? '' : ` of ${recipe}`;
  return new BuilditError(
    'definition-invalid',
    `Cannot use the source "${printable(fileName)}"${owner}: expected a name that tells whether it is unpacked, found ${archive}`,
    { hint: undecidedHint(printable(fileName)) },
  );
}

/** Answers where the content lies that belongs into the source tree, and the newest time of it. */
async function unpackArchive(
  store: Store,
  source: Source,
  fresh: string,
  { recipe, signal }: UnpackContext,
): Promise<Pick<UnpackedTree, 'newestMtime'> & { readonly content: string | Buffer }> {
  const { digest, fileName, strip, isDebian = false } = source;
  const archive: SourceArchive = { digest, fileName, recipe, isDebian };
  const members = readSourceArchive(store, archive, () => {
    if (signal !== undefined) throwIfInterrupted(signal);
  });
  const newest = { atTop: Number.NEGATIVE_INFINITY, below: Number.NEGATIVE_INFINITY };
  // dpkg-source(1) removes a directory that everything is in, and no other.
  const removesOnlyTop = isDebian && strip === 1;
  const options = { strip: removesOnlyTop ? 0 : strip, what: fileName, duplicates: 'last' } as const;
  const unpacked = await unpackTree(members, fresh, {
    ...options,
    onEntry(path, { mtime }) {
      const place = path.includes('/') ? 'below' : 'atTop';
      newest[place] = Math.max(newest[place], mtime);
    },
  }).catch((error: unknown) => {
    throw inWordsOfRecipe(error, archive);
  });
  if (unpacked.entries === 0) throw nothingLeft(source);
  if (!removesOnlyTop) return { newestMtime: unpacked.newestMtime, content: fresh };
  const [only, other] = await readdir(fresh, { withFileTypes: true, encoding: 'buffer' });
  if (only === undefined || other !== undefined || !only.isDirectory()) {
    return { newestMtime: unpacked.newestMtime, content: fresh };
  }
  const newestMtime = Number.isFinite(newest.below) ? newest.below : unpacked.newestMtime;
  return { newestMtime, content: joined(fresh, only.name) };
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
  for await (const chunk of decompressBlob(store, digest, fileName)) {
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

/**
 * Moves what is in one directory into another; directories that are in both are joined, anything else is a conflict.
 * Names are bytes here.
 */
async function moveContent(from: string | Buffer, to: string | Buffer, source: Source): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true, encoding: 'buffer' })) {
    const [old, place] = [joined(from, entry.name), joined(to, entry.name)];
    const there = await lstat(place).catch(() => undefined);
    if (there === undefined) await rename(old, place);
    else if (there.isDirectory() && entry.isDirectory()) await moveContent(old, place, source);
    else throw refusal(source, 'files that no other source has', shownName(entry.name));
  }
  await rmdir(from);
}

function joined(directory: string | Buffer, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from('/'), name]);
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
