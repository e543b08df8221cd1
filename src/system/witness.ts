import { createHash } from 'node:crypto';
import { type BigIntStats, readdirSync, readFileSync, statSync } from 'node:fs';

/**
 * What a path looked like when a run used it. `seen` is `inode size mtime mode` (mtime in nanoseconds), for a stored
 * file `inode size`, empty where nothing was. `sha256` is there when the path had changed so recently that a second change could leave the same times.
 */
export interface Sighting {
  readonly path: string;
  readonly seen: string;
  readonly sha256?: string;
}

/** Collects which files a run read, listed, wrote or looked for in vain, so that a later run can tell that none changed. */
export interface Witness {
  /** To be called before the file is read. */
  read(path: string): void;
  missing(path: string): void;
  /** To be called before the directory is read. */
  listed(directory: string): void;
  /** To be called after the file was written; replaces what was seen of it before. */
  wrote(path: string): void;
  /** For files that are only ever replaced as a whole, such as those of the store: their times say when they were used. */
  stored(path: string): void;
  sightings(): readonly Sighting[];
}

/** Changes that lie nearer than this may share their times with a later change: file systems count in ticks. */
const RECENT_NS = 2_000_000_000n;

export function createWitness(): Witness {
  const sightings = new Map<string, Sighting>();
  const seeOnce = (path: string) => {
    if (!sightings.has(path)) sightings.set(path, sight(path));
  };
  return {
    read: seeOnce,
    missing: seeOnce,
    listed: seeOnce,
    wrote: (path) => sightings.set(path, sight(path)),
    stored: (path) => {
      const stats = look(path);
      sightings.set(path, { path, seen: stats === undefined ? '' : identity(stats) });
    },
    sightings: () => [...sightings.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** Looks at a path now. Symbolic links are followed: what counts is what a reader would get. */
export function sight(path: string): Sighting {
  const stats = look(path);
  if (stats === undefined) return { path, seen: '' };
  if (!isRecent(stats.mtimeNs)) return { path, seen: appearance(stats) };
  return { path, seen: appearance(stats), sha256: contentDigest(path, stats.isDirectory()) };
}

/** Tells whether a path still looks as it did; content is compared only where times cannot tell. Never throws. */
export function looksUnchanged({ path, seen, sha256 }: Sighting): boolean {
  try {
    const stats = look(path);
    if (stats === undefined) return seen === '';
    if (seen === identity(stats)) return true;
    if (seen !== appearance(stats)) return false;
    return sha256 === undefined || sha256 === contentDigest(path, stats.isDirectory());
  } catch {
    return false;
  }
}

function look(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function identity({ ino, size }: BigIntStats): string {
  return `${ino} ${size}`;
}

function appearance(stats: BigIntStats): string {
  return `${identity(stats)} ${stats.mtimeNs} ${stats.mode}`;
}

/**
 * Drops the content's digest from a sighting that was just found unchanged and whose last change is long enough ago for
 * its times to tell the next one.
 */
export function settledSighting(sighting: Sighting): Sighting {
  const mtimeNs = BigInt(sighting.seen.split(' ')[2] ?? '0');
  return sighting.sha256 === undefined || isRecent(mtimeNs) ? sighting : { path: sighting.path, seen: sighting.seen };
}

function isRecent(mtimeNs: bigint): boolean {
  return mtimeNs > BigInt(Date.now()) * 1_000_000n - RECENT_NS;
}

/** Of a directory: the digest of its names. */
function contentDigest(path: string, isDirectory: boolean): string {
  const content = isDirectory ? readdirSync(path).sort().join('\0') : readFileSync(path);
  return createHash('sha256').update(content).digest('hex');
}
