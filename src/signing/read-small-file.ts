import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { systemErrorCode } from '../system/write-failure.ts';

export interface SmallFile {
  readonly text: string;
  readonly stats: Stats;
}

/**
 * Reads a regular file of at most `maximumBytes`; undefined where there is none. Never waits at a fifo.
 */
export async function readSmallFile(path: string, maximumBytes: number): Promise<SmallFile | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY).catch((error) => {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return undefined;
    throw unreadable(path, `one that cannot be opened (${systemErrorCode(error) ?? 'unknown'})`, error);
  });
  if (file === undefined) return undefined;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw unreadable(path, 'something else');
    const bytes = Buffer.alloc(maximumBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = (await file.read(bytes, length, bytes.length - length)).bytesRead;
    if (length > maximumBytes) throw unreadable(path, `one of more than ${maximumBytes} bytes`);
    return { text: bytes.toString('utf8', 0, length), stats };
  } finally {
    await file.close();
  }
}

function unreadable(path: string, found: string, cause?: unknown): BuilditError {
  return new BuilditError('input-invalid', `Cannot read "${printable(path)}": expected a file, found ${found}`, {
    cause,
  });
}
