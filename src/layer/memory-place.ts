import { closeSync } from 'node:fs';
import { freeBytesIfKnown } from '../system/files.ts';
import { writeFailure } from '../system/write-failure.ts';
import { type DraftPlace, withElfFile } from './draft-place.ts';
import type { ElfSource } from './elf.ts';
import { FRAME_BYTES, giveFrameBack, takeFrame } from './frame-memory.ts';
import type { TarMember } from './tar-member.ts';
import { fileContent } from './tree-content.ts';
import { TreeNames } from './tree-names.ts';
import { createFile, writeFully } from './tree-writer.ts';

/** Above the size of most packages; what is more goes to files without names. */
const MEMORY_BYTES = 48 * 2 ** 20;

/** A place in memory, for a layer whose tree nobody has asked for yet. Large files beyond a budget go to `directory`. */
export class MemoryPlace implements DraftPlace {
  readonly #directory: string;
  readonly #names: TreeNames;
  readonly #contents = new Map<string, readonly Uint8Array[]>();
  readonly #spilled = new Map<string, string>();
  readonly #memoryBytes: number;
  readonly #memory = new CopyMemory();
  #bytes = 0;

  constructor(directory: string, what: string, memoryBytes = MEMORY_BYTES) {
    this.#directory = directory;
    this.#names = new TreeNames({ what });
    this.#memoryBytes = memoryBytes;
  }

  addDirectory(path: string, facts: Pick<TarMember, 'mode' | 'mtime'>, isMerged: boolean): void {
    this.#names.admitDirectory(path, facts, isMerged);
  }

  addWholeFile(path: string, _facts: unknown, content: Uint8Array): void {
    this.#names.admitFile(path);
    if (this.#hasRoom(content.length)) {
      this.#contents.set(path, [this.#memory.copy(content)]);
      return;
    }
    const spill = this.#spill(path);
    try {
      spill.write(content);
    } finally {
      spill.close();
    }
  }

  async addFile(path: string, member: TarMember, onChunk: (chunk: Uint8Array) => void): Promise<void> {
    this.#names.admitFile(path);
    if (this.#hasRoom(member.size)) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of member.content) {
        onChunk(chunk);
        chunks.push(this.#memory.copy(chunk));
      }
      this.#contents.set(path, chunks);
      return;
    }
    const spill = this.#spill(path);
    try {
      for await (const chunk of member.content) {
        onChunk(chunk);
        spill.write(chunk);
      }
    } finally {
      spill.close();
    }
  }

  addHardLink(path: string, target: string): string {
    return this.#names.admitHardLink(path, target).file;
  }

  addSymlink(path: string, link: Pick<TarMember, 'target' | 'mtime'>): void {
    this.#names.admitSymlink(path, link);
  }

  setImpliedTimes(mtime: number): readonly string[] {
    return this.#names.setImpliedTimes(mtime);
  }

  finish(): void {}

  release(): void {
    this.#contents.clear();
    this.#memory.release();
  }

  content(path: string, size: number): Uint8Array | AsyncIterable<Uint8Array> {
    const spilled = this.#spilled.get(path);
    if (spilled !== undefined) return fileContent(spilled, size);
    const chunks = this.#contents.get(path) ?? [];
    return chunks.length === 1 ? chunks[0]! : inTurn(chunks);
  }

  withElfSource(path: string, use: (source: ElfSource) => void): void {
    const spilled = this.#spilled.get(path);
    if (spilled === undefined) use(elfSourceOf(this.#contents.get(path) ?? []));
    else withElfFile(spilled, use);
  }

  /** Takes a file's size from the budget, if that is left. */
  #hasRoom(size: number): boolean {
    if (this.#bytes + size > this.#memoryBytes) return false;
    this.#bytes += size;
    return true;
  }

  #spill(path: string): Spill {
    const place = `${this.#directory}/${this.#spilled.size}`;
    const attempt = <T>(action: () => T): T => {
      try {
        return action();
      } catch (error) {
        throw writeFailure(error, { verb: 'unpack', path: place, freeBytes: freeBytesIfKnown(this.#directory) });
      }
    };
    const file = attempt(() => createFile(place));
    this.#spilled.set(path, place);
    return { write: (chunk) => attempt(() => writeFully(file, chunk)), close: () => closeSync(file) };
  }
}

/** Memory for copies of many sizes: originals are views that would keep a whole chunk of an archive alive, or change. */
class CopyMemory {
  readonly #blocks: Uint8Array[] = [];
  #filled = FRAME_BYTES;

  copy(bytes: Uint8Array): Uint8Array {
    if (bytes.length > FRAME_BYTES) return Uint8Array.prototype.slice.call(bytes);
    if (this.#filled + bytes.length > FRAME_BYTES) {
      this.#blocks.push(takeFrame());
      this.#filled = 0;
    }
    const copy = this.#blocks.at(-1)!.subarray(this.#filled, this.#filled + bytes.length);
    copy.set(bytes);
    this.#filled += bytes.length;
    return copy;
  }

  /** Gives all of it back: the copies are no more. */
  release(): void {
    for (const block of this.#blocks.splice(0)) giveFrameBack(block);
    this.#filled = FRAME_BYTES;
  }
}

interface Spill {
  write(chunk: Uint8Array): void;
  close(): void;
}

async function* inTurn(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
}

function elfSourceOf(chunks: readonly Uint8Array[]): ElfSource {
  return {
    size: chunks.reduce((sum, { length }) => sum + length, 0),
    read(offset, length) {
      const parts: Uint8Array[] = [];
      let start = 0;
      for (const chunk of chunks) {
        const from = Math.max(0, offset - start);
        const to = Math.min(chunk.length, offset + length - start);
        if (from < to) parts.push(chunk.subarray(from, to));
        start += chunk.length;
        if (start >= offset + length) break;
      }
      return Buffer.concat(parts);
    },
  };
}
