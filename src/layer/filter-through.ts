import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { archiveRefusal } from './archive-refusal.ts';
import { followFile, openSpool } from './spool.ts';

const MOST_COMPLAINT_BYTES = 2000;

export interface FilterOptions {
  /** What the input is called in messages. */
  readonly what: string;
  /**
   * A free path in a private directory: the program's output lies there until it is read, in a file that has lost its
   * name. Programs write a few KiB at a time, and each costs a turn of the event loop when it comes through a pipe. What
   * is yielded is then a view of memory that is used again for what comes next, as `ByteReader` expects it.
   */
  readonly spool?: string | undefined;
}

/**
 * Sends a stream through a program of the host that reads stdin and writes stdout. Errors of the input come through as
 * they are; a program that fails says that the input is damaged. The program gets no environment, and is ended when the
 * reader stops early.
 */
export async function* filterThrough(
  [program, ...programArguments]: readonly [string, ...string[]],
  input: AsyncIterable<Uint8Array>,
  { what, spool }: FilterOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = spool === undefined ? undefined : openSpool(spool);
  const child = spawn(program, programArguments, { env: {}, stdio: ['pipe', file ?? 'pipe', 'pipe'] }) as Filter;
  let isRunning = true;
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  ended.then(
    () => {
      isRunning = false;
    },
    () => {
      isRunning = false;
    },
  );
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, MOST_COMPLAINT_BYTES);
  });
  let inputError: unknown;
  const fed = pipeline(Readable.from(input, { objectMode: false }), child.stdin).catch((error: unknown) => {
    // The program may end before it has read everything; its exit says why.
    if (isBrokenPipe(error)) return;
    inputError = error;
    child.kill('SIGKILL');
  });
  try {
    if (file === undefined) yield* child.stdout as AsyncIterable<Uint8Array>;
    else yield* followFile(file, () => isRunning);
    await fed;
    if (inputError !== undefined) throw inputError;
    const [code, signal] = await ended;
    if (code !== 0) throw archiveRefusal(what, 'whole data', complaint.trim() || `the end by ${signal ?? code}`);
  } finally {
    child.kill('SIGKILL');
    child.stdin.destroy();
    await ended.catch(() => undefined);
    if (file !== undefined) closeSync(file);
  }
}

/** `stdout` is null where the output is spooled. */
type Filter = ChildProcessByStdio<Writable, Readable | null, Readable>;

function isBrokenPipe(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
