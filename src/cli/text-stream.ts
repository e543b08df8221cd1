/** A place that text is written to, as the command line sees it: standard output, standard error, or a test's record. */
export interface TextStream {
  readonly isTerminal: boolean;
  /** Size of the terminal; asked again for every frame. */
  size(): { readonly columns: number; readonly rows: number };
  write(text: string): void;
  /** Calls back when the terminal changes its size; returns how to stop that. */
  onResize(listener: () => void): () => void;
}

/** Writes to a stream until it fails; after that, what is written is dropped. `onFailure` is told why, once. */
export function textStreamOf(
  stream: NodeJS.WriteStream,
  onFailure: (error: NodeJS.ErrnoException) => void,
): TextStream {
  let open = true;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (open) onFailure(error);
    open = false;
  });
  return {
    isTerminal: stream.isTTY === true,
    size: () => ({ columns: stream.columns || 80, rows: stream.rows || 24 }),
    write: (text) => {
      if (open) stream.write(text);
    },
    onResize: (listener) => {
      stream.on('resize', listener);
      return () => stream.off('resize', listener);
    },
  };
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
