import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { archiveRefusal } from './archive-refusal.ts';

const MOST_COMPLAINT_BYTES = 2000;

/**
 * Sends a stream through a program of the host that reads stdin and writes stdout. Errors of the input come through as
 * they are; a program that fails says that the input (called `what` in messages) is damaged. The program gets no
 * environment, and is ended when the reader stops early.
 */
export async function* filterThrough(
  [program, ...programArguments]: readonly [string, ...string[]],
  input: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const child = spawn(program, programArguments, { env: {}, stdio: 'pipe' });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  ended.catch(() => undefined);
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
    yield* child.stdout as AsyncIterable<Uint8Array>;
    await fed;
    if (inputError !== undefined) throw inputError;
    const [code, signal] = await ended;
    if (code !== 0) throw archiveRefusal(what, 'whole data', complaint.trim() || `the end by ${signal ?? code}`);
  } finally {
    child.kill('SIGKILL');
    child.stdin.destroy();
    await ended.catch(() => undefined);
  }
}

function isBrokenPipe(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
