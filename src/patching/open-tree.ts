import { lstat, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../model/canonical-json.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { removeTree } from '../system/files.ts';
import { readPatchName } from './patch-name.ts';

/*
 * <package>/.buildit/patch/<name>/
 *   tree/         the source, for the user to change
 *   session.json  what it is to become
 */

/** A source tree that somebody is changing, and what its changes become. */
export interface PatchSession {
  readonly kind: 'new' | 'edit';
  readonly name: string;
  /** Of the sources and the patches below it: with others, its changes would mean something else. */
  readonly base: Digest;
  /** The header of a new patch; an edited one keeps its own. */
  readonly header: string;
  /** Of the recipe, where another than the newest was asked for. */
  readonly version?: string | undefined;
}

const FORMAT = 1;
const SESSION = 'session.json';
const MAXIMUM_SESSION_BYTES = 1 << 20;

export function openTreePath(packageDirectory: string, name: string): string {
  return join(packageDirectory, '.buildit', 'patch', name);
}

export function treeOf(directory: string): string {
  return join(directory, 'tree');
}

/**
 * Makes the directory of a session, out of git's sight. Nothing may be there, nor a symbolic link below `boundary` on the
 * way: what lies here is removed as a whole in the end.
 */
export async function makeSessionDirectory(directory: string, boundary: string | undefined): Promise<void> {
  if (boundary !== undefined) await refuseLinks(directory, boundary);
  await mkdir(dirname(directory), { recursive: true });
  await mkdir(directory).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
    throw new BuilditError(
      'cannot-write',
      `Cannot open a tree in "${printable(directory)}": expected no such directory, found one`,
      { hint: 'remove it, or name another one with --directory', cause },
    );
  });
  await writeFile(join(directory, '.gitignore'), '*\n');
}

/** Written last: a directory without it was never finished. */
export async function writeSession(directory: string, { version, ...session }: PatchSession): Promise<void> {
  const written = { format: FORMAT, ...session, ...(version === undefined ? {} : { version }) };
  await writeFile(join(directory, SESSION), `${canonicalJson(written)}\n`, { flag: 'wx' });
}

/** The session in a directory; undefined where there is none. */
export async function readSession(directory: string, boundary: string | undefined): Promise<PatchSession | undefined> {
  if (boundary !== undefined) await refuseLinks(directory, boundary);
  const path = join(directory, SESSION);
  const stats = await lstat(path).catch(() => undefined);
  if (stats === undefined) return undefined;
  const tree = await lstat(treeOf(directory)).catch(() => undefined);
  if (stats.isFile() && stats.size <= MAXIMUM_SESSION_BYTES && tree?.isDirectory() === true) {
    const session = parseSession(await readFile(path, 'utf8'));
    if (session !== undefined) return session;
  }
  throw new BuilditError(
    'input-invalid',
    `Cannot use the tree in "${printable(directory)}": expected one that buildit opened, found something else`,
    { hint: 'move your changes away, remove the directory, and open it again' },
  );
}

function parseSession(text: string): PatchSession | undefined {
  try {
    const { format, kind, name, base, header, version } = JSON.parse(text) as Record<string, unknown>;
    const isSession =
      format === FORMAT &&
      (kind === 'new' || kind === 'edit') &&
      typeof name === 'string' &&
      readPatchName(name) === name &&
      typeof header === 'string' &&
      (version === undefined || typeof version === 'string') &&
      isDigest(String(base));
    return isSession ? { kind, name, base: base as Digest, header, version } : undefined;
  } catch {
    return undefined;
  }
}

/** The names of patches whose trees are open at their usual place. */
export async function openSessions(packageDirectory: string): Promise<readonly string[]> {
  const parent = dirname(openTreePath(packageDirectory, 'x'));
  const entries = await readdir(parent, { withFileTypes: true }).catch(() => []);
  const names: string[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const stats = await lstat(join(parent, entry.name, SESSION)).catch(() => undefined);
    if (stats?.isFile() === true) names.push(entry.name);
  }
  return names.sort();
}

/** Removes a session with its tree, and the directories above that were made for it, where they are empty. */
export async function removeSession(directory: string, boundary: string | undefined): Promise<void> {
  if (boundary !== undefined) await refuseLinks(directory, boundary);
  await removeTree(directory);
  if (boundary === undefined) return;
  for (let parent = dirname(directory); parent !== boundary; parent = dirname(parent)) {
    const isRemoved = await rmdir(parent).then(
      () => true,
      () => false,
    );
    if (!isRemoved) return;
  }
}

async function refuseLinks(directory: string, boundary: string): Promise<void> {
  for (let path = directory; path !== boundary; path = dirname(path)) {
    const stats = await lstat(path).catch(() => undefined);
    if (stats === undefined || stats.isDirectory()) continue;
    throw new BuilditError(
      'input-invalid',
      `Cannot use "${printable(path)}" for the tree of a patch: expected a directory or nothing, found something else`,
    );
  }
}
