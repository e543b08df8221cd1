import { closeSync, constants, lstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';

/** The reading side of a build's log while one sandbox writes to it. */
export interface LogPipe {
  /** To be given to the sandbox as standard output and error; closed here with `closeWriter`. */
  readonly writer: number;
  closeWriter(): void;
  /** Resolves when everything that was written has been handed on and no writer is left. */
  readonly finished: Promise<void>;
}

/**
 * Opens a named pipe for one run. Builds get a real pipe: what Node calls a pipe is a socket, on which re-opening
 * /dev/stdout fails, and a log file could be cut short by the build.
 */
export function openLogPipe(path: string, onChunk: (chunk: Buffer) => void): LogPipe {
  if (!lstatSync(path).isFIFO()) throw new TypeError(`${path} is not a named pipe`);
  // A reader must be there before a writer can be, and the writer before the first read, which else meets the end.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  const writer = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  const stream = new Socket({ fd: reader, readable: true, writable: false });
  stream.on('data', onChunk);
  const finished = new Promise<void>((resolve, reject) => {
    stream.on('error', reject);
    stream.on('close', () => resolve());
  });
  // Whoever is no longer interested, because the run failed otherwise, need not hear of it.
  finished.catch(() => undefined);
  return { writer, closeWriter: () => closeSync(writer), finished };
}
