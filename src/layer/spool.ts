import { fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const CHUNK_BYTES = 2 ** 20;
const POLL_MS = 2;

/** Opens a new file and takes its name away: it is gone when nobody has it open any more. */
export function openSpool(path: string): number {
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

/**
 * Reads a file from its start while another process writes it, in large pieces, until that process has ended. Each piece
 * is a view of memory that the next one overwrites: whoever wants to keep it makes a copy.
 */
export async function* followFile(
  file: number,
  isBeingWritten: () => boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const memory = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  for (let offset = 0; ; ) {
    // Asked before the size is: what was written until the end is seen.
    const mayGrow = isBeingWritten();
    const available = fstatSync(file).size - offset;
    if (mayGrow && available < CHUNK_BYTES) {
      await delay(POLL_MS);
      continue;
    }
    if (available <= 0) return;
    const length = readSync(file, memory, 0, Math.min(CHUNK_BYTES, available), offset);
    offset += length;
    yield memory.subarray(0, length);
  }
}
