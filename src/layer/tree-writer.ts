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
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { freeBytesIfKnown } from '../system/files.ts';
import { writeFailure } from '../system/write-failure.ts';
import { filePath } from './byte-names.ts';
import type { TarMember } from './tar-member.ts';
import { type Admission, TreeNames, type TreeNamesOptions } from './tree-names.ts';

type FileFacts = Pick<TarMember, 'mode' | 'mtime'>;

/**
 * Fills a fresh directory that nobody else writes to. Every parent is a directory that was made here, links are written
 * when everything else is there, and so nothing outside is ever reached, whatever the names say. Members are written as
 * they come, with `finish` at the end.
 *
 * On disk directories are 0755, files 0644 or, where anyone may execute them, 0755: readable for the build's user, with
 * nothing another user of the machine could write to or gain by.
 *
 * Calls are synchronous: a package has thousands of small files, and the event loop would cost more than the disk.
 */
export class TreeWriter {
  readonly #directory: string;
  readonly #names: TreeNames;

  constructor(directory: string, options: TreeNamesOptions = {}) {
    this.#directory = directory;
    this.#names = new TreeNames(options);
  }

  /** See `TreeNames.admitDirectory`. */
  addDirectory(path: string, facts: FileFacts, isMerged = false): void {
    this.#prepare(path, this.#names.admitDirectory(path, facts, isMerged));
  }

  /** Writes a file whose content is there already. */
  addWholeFile(path: string, { mode, mtime }: FileFacts, content: Uint8Array): void {
    this.#prepare(path, this.#names.admitFile(path));
    this.#attempt(path, () => {
      const file = createFile(this.#pathOf(path));
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
    this.#prepare(path, this.#names.admitFile(path));
    const file = this.#attempt(path, () => createFile(this.#pathOf(path)));
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
    const { file, isDone, ...admission } = this.#names.admitHardLink(path, target);
    this.#prepare(path, admission);
    if (isDone !== true) this.#attempt(path, () => linkSync(this.#pathOf(file), this.#pathOf(path)));
    return file;
  }

  /** Remembers a symbolic link; it is written by `finish`. */
  addSymlink(path: string, link: Pick<TarMember, 'target' | 'mtime'>): void {
    this.#prepare(path, this.#names.admitSymlink(path, link));
  }

  /** Gives the directories that no member has named a time, and answers their paths. */
  setImpliedTimes(mtime: number): readonly string[] {
    return this.#names.setImpliedTimes(mtime);
  }

  /** Writes the symbolic links, then the modes and times of directories, which earlier writes would have changed. */
  finish(): void {
    for (const [path, node] of this.#names.nodes) {
      if (node.kind !== 'symlink') continue;
      this.#attempt(path, () => {
        symlinkSync(filePath(node.target), this.#pathOf(path));
        lutimesSync(this.#pathOf(path), node.mtime, node.mtime);
      });
    }
    for (const [path, node] of this.#names.nodes) {
      if (node.kind !== 'directory') continue;
      this.#attempt(path, () => {
        chmodSync(this.#pathOf(path), DIRECTORY_MODE);
        utimesSync(this.#pathOf(path), node.mtime, node.mtime);
      });
    }
  }

  #prepare(path: string, { newDirectories, replacesFile, replacesDirectory }: Admission): void {
    if (replacesFile) this.#attempt(path, () => unlinkSync(this.#pathOf(path)));
    if (replacesDirectory) this.#attempt(path, () => rmdirSync(this.#pathOf(path)));
    for (const directory of newDirectories) this.#attempt(directory, () => mkdirSync(this.#pathOf(directory), 0o700));
  }

  #pathOf(path: string): string | Buffer {
    return filePath(`${this.#directory}/${path}`);
  }

  #attempt<T>(path: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw writeFailure(error, {
        verb: 'unpack',
        path: `${this.#directory}/${path}`,
        freeBytes: freeBytesIfKnown(this.#directory),
      });
    }
  }
}

const DIRECTORY_MODE = 0o755;

/** What a file is on disk in every tree: the same for every archive, umask and user. */
export function diskFileMode(mode: number): number {
  return (mode & 0o111) === 0 ? 0o644 : 0o755;
}

/** Opens a file that must not be there yet; a link in its place is not followed. */
export function createFile(path: string | Buffer): number {
  return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
}

export function writeFully(file: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
}

function seal(file: number, mode: number, mtime: number): void {
  fchmodSync(file, diskFileMode(mode));
  futimesSync(file, mtime, mtime);
}
