import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { freeBytesIfKnown } from '../system/files.ts';
import { writeFailure } from '../system/write-failure.ts';
import { archiveRefusal } from './archive-refusal.ts';
import type { TarMember } from './tar-member.ts';

type TreeNode =
  | { readonly kind: 'directory'; mode: number; mtime: number; isListed: boolean }
  | { readonly kind: 'file' }
  /** `file` is the path of the member that brought the content. */
  | { readonly kind: 'hardlink'; readonly file: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly mtime: number };

export interface TreeWriterOptions {
  /** `last`: a later file or symbolic link of the same path replaces an earlier one, as tar does. */
  readonly duplicates?: 'refuse' | 'last';
  /** What the archive is called in messages. */
  readonly what?: string;
}

/**
 * Fills a fresh directory that nobody else writes to. Every parent is a directory that was made here, links are written
 * when everything else is there, and so nothing outside is ever reached, whatever the names say. Paths are clean relative
 * paths; members are written as they come, with `finish` at the end.
 *
 * On disk directories are 0755, files 0644 or, where anyone may execute them, 0755: readable for the build's user, with
 * nothing another user of the machine could write to or gain by.
 *
 * Calls are synchronous: a package has thousands of small files, and the event loop would cost more than the disk.
 */
export class TreeWriter {
  readonly #directory: string;
  readonly #what: string;
  readonly #duplicates: 'refuse' | 'last';
  readonly #nodes = new Map<string, TreeNode>();
  #lastParent = '';

  constructor(directory: string, { duplicates = 'refuse', what = 'archive' }: TreeWriterOptions = {}) {
    this.#directory = directory;
    this.#what = what;
    this.#duplicates = duplicates;
  }

  /** `isMerged`: another name for a directory that may be there already; the first one's mode counts. */
  addDirectory(path: string, { mode, mtime }: Pick<TarMember, 'mode' | 'mtime'>, isMerged = false): void {
    const there = this.#nodes.get(path);
    if (there === undefined) {
      this.#makeParents(path);
      this.#makeDirectory(path, { mode, mtime, isListed: true });
      return;
    }
    if (there.kind !== 'directory')
      throw this.#refusal(path, 'one member of that name', `a directory and a ${there.kind}`);
    if (!there.isListed) {
      Object.assign(there, { mode, mtime, isListed: true });
    } else if (there.mode !== mode && !isMerged && this.#duplicates === 'refuse') {
      throw this.#refusal(path, 'one member of that name', 'two directories with different modes');
    }
  }

  /** Writes a file whose content is there already. */
  addWholeFile(path: string, { mode, mtime }: Pick<TarMember, 'mode' | 'mtime'>, content: Uint8Array): void {
    this.#admit(path, 'file');
    this.#attempt(path, () => {
      const file = this.#create(path);
      try {
        writeFully(file, content);
        seal(file, mode, mtime);
      } finally {
        closeSync(file);
      }
    });
  }

  /** Writes a file chunk by chunk. `onChunk` sees each chunk when it is written. */
  async addFile(
    path: string,
    member: TarMember,
    onChunk: (chunk: Uint8Array) => void = () => undefined,
  ): Promise<void> {
    this.#admit(path, 'file');
    const file = this.#attempt(path, () => this.#create(path));
    try {
      for await (const chunk of member.content) {
        this.#attempt(path, () => writeFully(file, chunk));
        onChunk(chunk);
      }
      this.#attempt(path, () => seal(file, member.mode, member.mtime));
    } finally {
      closeSync(file);
    }
  }

  /** Gives an earlier file one more name. Answers the name that file was first written under. */
  addHardLink(path: string, target: string): string {
    const node = this.#nodes.get(target);
    if (node?.kind !== 'file' && node?.kind !== 'hardlink') {
      throw this.#refusal(path, 'a hard link to an earlier file of the archive', `one to "${target}"`);
    }
    const file = node.kind === 'file' ? target : node.file;
    if (path === target) throw this.#refusal(path, 'a hard link to another member', 'one to itself');
    this.#admit(path, 'hardlink');
    this.#nodes.set(path, { kind: 'hardlink', file });
    this.#attempt(path, () => linkSync(this.#pathOf(file), this.#pathOf(path)));
    return file;
  }

  /** Remembers a symbolic link; it is written by `finish`. */
  addSymlink(path: string, { target, mtime }: Pick<TarMember, 'target' | 'mtime'>): void {
    this.#admit(path, 'symlink');
    this.#nodes.set(path, { kind: 'symlink', target, mtime });
  }

  /** Directories that lie above members but were not listed themselves. */
  get impliedDirectories(): string[] {
    return [...this.#nodes].flatMap(([path, node]) => (node.kind === 'directory' && !node.isListed ? [path] : []));
  }

  /** Gives a directory that no member has named its time. */
  setDirectoryTime(path: string, mtime: number): void {
    const node = this.#nodes.get(path);
    if (node?.kind === 'directory') node.mtime = mtime;
  }

  /** Writes the symbolic links, then the modes and times of directories, which earlier writes would have changed. */
  finish(): void {
    for (const [path, node] of this.#nodes) {
      if (node.kind !== 'symlink') continue;
      this.#attempt(path, () => {
        symlinkSync(node.target, this.#pathOf(path));
        lutimesSync(this.#pathOf(path), node.mtime, node.mtime);
      });
    }
    for (const [path, node] of this.#nodes) {
      if (node.kind !== 'directory') continue;
      this.#attempt(path, () => {
        chmodSync(this.#pathOf(path), DIRECTORY_MODE);
        utimesSync(this.#pathOf(path), node.mtime, node.mtime);
      });
    }
  }

  /** Takes a name for a file or a link: its parents are made, and nothing else may have it. */
  #admit(path: string, kind: 'file' | 'hardlink' | 'symlink'): void {
    const there = this.#nodes.get(path);
    if (there !== undefined) {
      if (there.kind === 'directory' || this.#duplicates === 'refuse') {
        throw this.#refusal(path, 'one member of that name', `a ${there.kind} and a ${kind}`);
      }
      if (there.kind === 'file') this.#refuseReplacedTarget(path);
      if (there.kind !== 'symlink') this.#attempt(path, () => unlinkSync(this.#pathOf(path)));
    }
    this.#makeParents(path);
    if (kind === 'file') this.#nodes.set(path, { kind });
  }

  /** A file with further names cannot be replaced: which content they should have is anyone's guess. */
  #refuseReplacedTarget(path: string): void {
    for (const node of this.#nodes.values()) {
      if (node.kind === 'hardlink' && node.file === path) {
        throw this.#refusal(path, 'one member of that name', 'a second file after a hard link to the first');
      }
    }
  }

  #makeParents(path: string): void {
    const slash = path.lastIndexOf('/');
    if (slash < 0) return;
    const parent = path.slice(0, slash);
    if (parent === this.#lastParent) return;
    const node = this.#nodes.get(parent);
    if (node === undefined) {
      this.#makeParents(parent);
      this.#makeDirectory(parent, { mode: 0o755, mtime: 0, isListed: false });
    } else if (node.kind !== 'directory') {
      throw this.#refusal(path, 'a directory above it', `the ${node.kind} "${parent}"`);
    }
    this.#lastParent = parent;
  }

  #makeDirectory(path: string, facts: { mode: number; mtime: number; isListed: boolean }): void {
    this.#attempt(path, () => mkdirSync(this.#pathOf(path), 0o700));
    this.#nodes.set(path, { kind: 'directory', ...facts });
  }

  #create(path: string): number {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    return openSync(this.#pathOf(path), flags, 0o600);
  }

  #pathOf(path: string): string {
    return `${this.#directory}/${path}`;
  }

  #attempt<T>(path: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw writeFailure(error, {
        verb: 'unpack',
        path: this.#pathOf(path),
        freeBytes: freeBytesIfKnown(this.#directory),
      });
    }
  }

  #refusal(path: string, expected: string, found: string): Error {
    return archiveRefusal(`${this.#what}: ${path}`, expected, found);
  }
}

const DIRECTORY_MODE = 0o755;

/** What a file is on disk in every tree: the same for every archive, umask and user. */
export function diskFileMode(mode: number): number {
  return (mode & 0o111) === 0 ? 0o644 : 0o755;
}

function seal(file: number, mode: number, mtime: number): void {
  fchmodSync(file, diskFileMode(mode));
  futimesSync(file, mtime, mtime);
}

function writeFully(file: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
}
