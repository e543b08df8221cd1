import { fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const CHUNK_BYTES = 2 ** 20;
const POLL_MS = 2;

/** Opens a new file without a name in a private directory: it is gone when nobody has it open any more. */
export function openSpool(directory: string): number {
  const path = join(directory, 'spool');
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}

/** Reads a file from its start while another process writes it, in large pieces, until that process has ended. */
export async function* followFile(
  file: number,
  isBeingWritten: () => boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; ; ) {
    // Asked before the size is: what was written until the end is seen.
    const mayGrow = isBeingWritten();
    const available = fstatSync(file).size - offset;
    if (mayGrow && available < CHUNK_BYTES) {
      await delay(POLL_MS);
      continue;
    }
    if (available <= 0) return;
    const chunk = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, available));
    const length = readSync(file, chunk, 0, chunk.length, offset);
    offset += length;
    yield chunk.subarray(0, length);
  }
}
