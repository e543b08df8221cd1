import { constants, type Dirent } from 'node:fs';
import { type FileHandle, open, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { append } from '../model/append.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { FilePatch } from '../model/patch.ts';
import { patchedPath } from '../model/patch-path.ts';
import { compareFile, isText, type TreeFile } from './compare-file.ts';

export interface TreeComparison {
  /** By path. */
  readonly files: readonly FilePatch[];
  /** New files that editors and version control leave behind: no part of a change. */
  readonly leftOut: readonly string[];
}

const LEFT_BEHIND = /^(?:.*~|.*\.(?:orig|rej|sw[nop])|#.*#|\.#.*|\.git|\.hg|\.pc)$/;
/** Readers of patches take no larger files. */
const MAXIMUM_FILE_BYTES = 256 << 20;
const MAXIMUM_REFUSED_SHOWN = 20;
const CHUNK_BYTES = 1 << 20;

/**
 * What was changed from one tree to another: contents of regular files and their executable bits. Symbolic links are
 * compared by their text and never followed. Throws `input-invalid`, naming `label` and every place, for changes that a
 * patch cannot hold: of links, of binary files, of a file into a directory.
 */
export async function compareTrees(older: string, newer: string, label: string): Promise<TreeComparison> {
  const comparison: Comparison = { older, newer, files: [], leftOut: [], refused: [] };
  await compareDirectories(comparison, '', { before: true, after: true });
  const { files, leftOut, refused } = comparison;
  if (refused.length > 0) throw refusal(label, refused);
  return { files, leftOut };
}

interface Comparison {
  readonly older: string;
  readonly newer: string;
  readonly files: FilePatch[];
  readonly leftOut: string[];
  readonly refused: { readonly path: string; readonly what: string }[];
}

/** Which of the two trees has the directory. */
interface Presence {
  readonly before: boolean;
  readonly after: boolean;
}

async function compareDirectories(comparison: Comparison, path: string, { before, after }: Presence): Promise<void> {
  const beforeEntries = before ? await entriesOf(join(comparison.older, path)) : NO_ENTRIES;
  const afterEntries = after ? await entriesOf(join(comparison.newer, path)) : NO_ENTRIES;
  const names = [...new Set([...beforeEntries.keys(), ...afterEntries.keys()])];
  for (const name of names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const inside = path === '' ? name : `${path}/${name}`;
    await compareEntries(comparison, inside, beforeEntries.get(name), afterEntries.get(name));
  }
}

const NO_ENTRIES: ReadonlyMap<string, Dirent> = new Map();

async function entriesOf(directory: string): Promise<ReadonlyMap<string, Dirent>> {
  return new Map((await readdir(directory, { withFileTypes: true })).map((entry) => [entry.name, entry]));
}

async function compareEntries(
  comparison: Comparison,
  path: string,
  before: Dirent | undefined,
  after: Dirent | undefined,
): Promise<void> {
  const { refused, leftOut } = comparison;
  if (before === undefined && LEFT_BEHIND.test(after!.name)) {
    leftOut.push(path);
    return;
  }
  const kinds = [kindOf(before), kindOf(after)];
  const [kindBefore, kindAfter] = kinds;
  if (kinds.includes('link')) {
    if (await isSameLink(comparison, path, kindBefore, kindAfter)) return;
    refused.push({ path, what: 'a change of a symbolic link' });
  } else if (kinds.includes('other')) {
    if (kindBefore !== kindAfter) refused.push({ path, what: 'a device, a pipe or a socket' });
  } else if (kinds.includes('directory') && kinds.includes('file')) {
    refused.push({ path, what: 'a file in place of a directory, or the other way round' });
  } else if (kinds.includes('directory')) {
    await compareDirectories(comparison, path, { before: before !== undefined, after: after !== undefined });
  } else {
    await compareFiles(comparison, path, { before: before !== undefined, after: after !== undefined });
  }
}

function kindOf(entry: Dirent | undefined): 'file' | 'directory' | 'link' | 'other' | undefined {
  if (entry === undefined) return undefined;
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'directory';
  return entry.isFile() ? 'file' : 'other';
}

async function isSameLink(
  { older, newer }: Comparison,
  path: string,
  before: string | undefined,
  after: string | undefined,
): Promise<boolean> {
  if (before !== 'link' || after !== 'link') return false;
  const [old, added] = await Promise.all([older, newer].map((tree) => readlink(join(tree, path), 'buffer')));
  return old!.equals(added!);
}

async function compareFiles(comparison: Comparison, path: string, { before, after }: Presence): Promise<void> {
  const { files, refused } = comparison;
  const old = before ? await openFile(join(comparison.older, path)) : undefined;
  const added = after ? await openFile(join(comparison.newer, path)) : undefined;
  try {
    if (old !== undefined && added !== undefined && (await isSameFile(old, added))) return;
    if (patchedPath(Buffer.from(path).toString('latin1')) !== path || path.includes('\ufffd')) {
      refused.push({ path, what: 'a name with control characters, or one that is no UTF-8' });
      return;
    }
    const sizes = await Promise.all([old, added].map(async (file) => (await file?.stat())?.size ?? 0));
    if (sizes.some((size) => size > MAXIMUM_FILE_BYTES)) {
      refused.push({ path, what: 'a change of a very large file' });
      return;
    }
    const [oldFile, newFile] = [await readTreeFile(old), await readTreeFile(added)];
    const isBinary = [oldFile, newFile].some((file) => file !== undefined && !isText(file.content));
    if (isBinary) refused.push({ path, what: 'a change of a binary file' });
    else
      append(
        files,
        [compareFile(path, oldFile, newFile)].filter((file) => file !== undefined),
      );
  } finally {
    await Promise.all([old?.close(), added?.close()]);
  }
}

function openFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

async function isSameFile(old: FileHandle, added: FileHandle): Promise<boolean> {
  const [before, after] = await Promise.all([old.stat(), added.stat()]);
  if (before.size !== after.size || isExecutable(before) !== isExecutable(after)) return false;
  const [left, right] = [
    Buffer.alloc(Math.min(CHUNK_BYTES, before.size)),
    Buffer.alloc(Math.min(CHUNK_BYTES, before.size)),
  ];
  for (let at = 0; at < before.size; ) {
    const [one, other] = await Promise.all([
      old.read(left, 0, left.length, at),
      added.read(right, 0, right.length, at),
    ]);
    if (one.bytesRead !== other.bytesRead || one.bytesRead === 0) return false;
    if (!left.subarray(0, one.bytesRead).equals(right.subarray(0, one.bytesRead))) return false;
    at += one.bytesRead;
  }
  return true;
}

async function readTreeFile(file: FileHandle | undefined): Promise<TreeFile | undefined> {
  if (file === undefined) return undefined;
  const { size } = await file.stat();
  const content = Buffer.alloc(size);
  const { bytesRead } = await file.read(content, 0, size, 0);
  return { content: content.toString('latin1', 0, bytesRead), executable: isExecutable(await file.stat()) };
}

function isExecutable({ mode }: { readonly mode: number }): boolean {
  return (mode & 0o111) !== 0;
}

function refusal(label: string, refused: Comparison['refused']): BuilditError {
  const [first, ...others] = refused.map(({ path, what }) => `${what} at ${printable(path)}`);
  const hidden = others.length - MAXIMUM_REFUSED_SHOWN;
  return new BuilditError(
    'input-invalid',
    `Cannot write "${printable(label)}": expected changes of text files alone, found ${first}`,
    {
      details: [
        ...others.slice(0, MAXIMUM_REFUSED_SHOWN).map((line) => `and ${line}`),
        ...(hidden > 0 ? [`and ${hidden} more`] : []),
      ],
      hint: 'take it back in the tree, remove what a build made there, or do it in a phase of the recipe',
    },
  );
}
