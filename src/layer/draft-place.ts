import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { ElfSource } from './elf.ts';
import type { TarMember } from './tar-member.ts';
import { fileContent } from './tree-content.ts';
import { TreeWriter } from './tree-writer.ts';

type FileFacts = Pick<TarMember, 'mode' | 'mtime'>;

/** Where the files of a layer are while it is made. Names are decided as `TreeNames` says. */
export interface DraftPlace {
  addDirectory(path: string, facts: FileFacts, isMerged: boolean): void;
  addWholeFile(path: string, facts: FileFacts, content: Uint8Array): void;
  addFile(path: string, member: TarMember, onChunk: (chunk: Uint8Array) => void): Promise<void>;
  /** Answers the name under which the content came. */
  addHardLink(path: string, target: string): string;
  addSymlink(path: string, link: Pick<TarMember, 'target' | 'mtime'>): void;
  setImpliedTimes(mtime: number): readonly string[];
  finish(): void;
  /** The content of a file by the name under which it came. */
  content(path: string, size: number): Uint8Array | AsyncIterable<Uint8Array>;
  withElfSource(path: string, use: (source: ElfSource) => void): void;
  /** Gives up the memory that contents are in; no content is asked for any more. */
  release(): void;
}

/** Contents kept in memory besides, so that most small files are never read back. */
const KEPT_BYTES = 24 * 2 ** 20;

/** A place on disk: the layer's tree. */
export class TreePlace extends TreeWriter implements DraftPlace {
  readonly #directory: string;
  readonly #kept = new Map<string, Uint8Array>();
  #keptBytes = 0;

  constructor(directory: string, what: string) {
    super(directory, { what });
    this.#directory = directory;
  }

  override addWholeFile(path: string, facts: FileFacts, content: Uint8Array): void {
    super.addWholeFile(path, facts, content);
    if (this.#keptBytes + content.length > KEPT_BYTES) return;
    this.#keptBytes += content.length;
    this.#kept.set(path, ownCopy(content));
  }

  content(path: string, size: number): Uint8Array | AsyncIterable<Uint8Array> {
    return this.#kept.get(path) ?? fileContent(`${this.#directory}/${path}`, size);
  }

  withElfSource(path: string, use: (source: ElfSource) => void): void {
    withElfFile(`${this.#directory}/${path}`, use);
  }

  release(): void {
    this.#kept.clear();
  }
}

/** A copy, because the original is a view that would keep a whole chunk of an archive alive. */
function ownCopy(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes);
}

export function withElfFile(path: string, use: (source: ElfSource) => void): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    use({
      size: fstatSync(file).size,
      read(offset, length) {
        if (!Number.isSafeInteger(offset) || offset < 0) return Buffer.alloc(0);
        const bytes = Buffer.alloc(length);
        return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
      },
    });
  } finally {
    closeSync(file);
  }
}
