import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ReadContent } from './write-tar.ts';

const CHUNK_BYTES = 1024 * 1024;
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads a layer's files from its tree. */
export function treeContent(directory: string): ReadContent {
  return ({ path, size }) => fileContent(`${directory}/${path}`, size);
}

/**
 * Reads a file that is said to have a size. Small files are read at once: starting an asynchronous read takes longer. A
 * file that is shorter or longer gives fewer or more bytes than its size says, and so shows itself; a link is not followed.
 */
export function fileContent(path: string, size: number): Uint8Array | AsyncIterable<Uint8Array> {
  return size <= CHUNK_BYTES ? readSmall(path, size) : readLarge(path);
}

function readSmall(path: string, size: number): Uint8Array {
  const file = openSync(path, FLAGS);
  try {
    // One byte more than expected shows a file that has grown.
    const bytes = Buffer.allocUnsafe(size + 1);
    let length = 0;
    if (!fstatSync(file).isFile()) return bytes.subarray(0, 0);
    for (let read = -1; read !== 0 && length <= size; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

async function* readLarge(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(path, FLAGS);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
