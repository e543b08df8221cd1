import { fstatSync, writeSync } from 'node:fs';
import { withoutSecrets } from '../model/without-secrets.ts';

/** A place that text is written to, as the command line sees it: standard output, standard error, or a test's record. */
export interface TextStream {
  readonly isTerminal: boolean;
  /** Size of the terminal; asked again for every frame. */
  size(): { readonly columns: number; readonly rows: number };
  write(text: string): void;
  /** Calls back when the terminal changes its size; returns how to stop that. */
  onResize(listener: () => void): () => void;
}

/**
 * Writes to a stream until it fails; after that, what is written is dropped, and `onFailure` gets the reason once. No user,
 * password or token of an address gets out, wherever the text comes from.
 */
export function textStreamOf(
  stream: NodeJS.WriteStream & { readonly fd: number },
  onFailure: (error: NodeJS.ErrnoException) => void,
): TextStream {
  let open = true;
  const fail = (error: unknown) => {
    if (open) onFailure(error as NodeJS.ErrnoException);
    open = false;
  };
  stream.on('error', fail);
  const isFile = isRegularFile(stream.fd);
  return {
    isTerminal: stream.isTTY === true,
    size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
    write: (text) => {
      if (!open) return;
      const shown = withoutSecrets(text);
      if (!isFile) return void stream.write(shown);
      try {
        writeWhole(stream.fd, shown);
      } catch (error) {
        fail(error);
      }
    },
    onResize: (listener) => {
      stream.on('resize', listener);
      return () => stream.off('resize', listener);
    },
  };
}

function isRegularFile(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFile();
  } catch {
    return false;
  }
}

/** Node's own stream for files writes once and drops what a nearly full disk did not take. */
function writeWhole(descriptor: number, text: string): void {
  for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(descriptor, rest));
}

/** Waits until all that was written has left the process, or cannot. */
export function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.destroyed || stream.writableEnded) return Promise.resolve();
  return new Promise((resolve) => {
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}

/** A stream that keeps what is written to it. */
export function recordingStream(): { readonly stream: TextStream; text(): string } {
  let written = '';
  return {
    stream: {
      ...silentStream,
      write: (text) => {
        written += text;
      },
    },
    text: () => written,
  };
}

/** A stream that nobody reads. */
export const silentStream: TextStream = {
  isTerminal: false,
  size: () => ({ columns: 80, rows: 24 }),
  write: () => undefined,
  onResize: () => () => undefined,
};
