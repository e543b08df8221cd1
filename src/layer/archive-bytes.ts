import { readSync } from 'node:fs';

/** The bytes of an archive that is read from its end: a file, or memory. */
export interface ArchiveBytes {
  readonly size: number;
  /** Exactly `length` bytes from `offset` on, which lie inside; a view or a copy. */
  read(offset: number, length: number): Buffer;
}

export function bytesInMemory(archive: Buffer): ArchiveBytes {
  return { size: archive.length, read: (offset, length) => archive.subarray(offset, offset + length) };
}

/** Throws where the file has become shorter. */
export function bytesOfFile(file: number, size: number): ArchiveBytes {
  return {
    size,
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      for (let done = 0; done < length; ) {
        const count = readSync(file, bytes, done, length - done, offset + done);
        if (count === 0) throw new Error('The file ended while it was read');
        done += count;
      }
      return bytes;
    },
  };
}
