import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { findProgram } from '../system/programs.ts';
import { archiveRefusal } from './archive-refusal.ts';
import { type FilterOptions, filterThrough } from './filter-through.ts';
import { unzstd } from './unzstd.ts';

export type Compression = 'gzip' | 'xz' | 'zstd' | 'bzip2' | 'none';

export interface DecompressOptions {
  /** What the bytes are called in messages. */
  readonly what?: string;
  readonly maxBytes?: number;
  /** Largest output for each byte of input, counted once the output passes 64 MiB. */
  readonly maxRatio?: number;
  /** Where large output of a program of the host may lie until it is read: `FilterOptions.spool`. */
  readonly spool?: string | undefined;
  /** Finds a program of the host; `() => undefined` makes do without any. */
  readonly findProgram?: (name: string) => string | undefined;
}

const DEFAULT_MAX_BYTES = 16 * 2 ** 30;
/** Zeros reach 1032 with deflate, by its design; no package comes near. */
const DEFAULT_MAX_RATIO = 1100;
const RATIO_COUNTS_FROM_BYTES = 64 * 2 ** 20;

/** Tells a compression by the first bytes: six are enough. */
export function detectCompression(start: Uint8Array): Compression {
  const hex = Buffer.from(start.subarray(0, 6)).toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  if (hex.startsWith('fd377a585a00')) return 'xz';
  if (hex.startsWith('28b52ffd') || /^5.2a4d18/.test(hex)) return 'zstd';
  if (/^425a683[1-9]/.test(hex)) return 'bzip2';
  return 'none';
}

/**
 * Decompresses a stream. Data that is damaged or cut off, and more output than `maxBytes` or `maxRatio` allow, are
 * 'archive-refused'; errors of the input itself come through as they are. What came out before an error is no more to be
 * trusted than the input.
 */
export async function* decompress(
  bytes: AsyncIterable<Uint8Array>,
  compression: Compression,
  options: DecompressOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const flow = new Flow(options);
  const input = flow.countedInput(bytes);
  yield* flow.checkedOutput(decoded(input, compression, flow, options));
}

function decoded(
  input: AsyncIterable<Uint8Array>,
  compression: Compression,
  flow: Flow,
  { findProgram: find = findProgram, spool }: DecompressOptions,
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'none':
      return input;
    case 'gzip':
      return readable(gunzipped(input), flow, 'gzip');
    case 'zstd':
      return readable(
        unzstd(input, (length) => flow.produced(length)),
        flow,
        'zstd',
      );
    case 'xz':
      return unxz(input, { what: flow.what, spool }, find('xz'), flow);
    case 'bzip2': {
      const program = find('bzip2');
      if (program === undefined) throw missingBzip2(flow.what);
      return filterThrough([program, '--decompress', '--stdout'], input, { what: flow.what, spool });
    }
  }
}

/** For a dictionary of 128 MiB, as of zstd; the largest preset, -9, needs 65 MiB. Every block of every stream counts. */
const XZ_MEMORY = '160MiB';

function missingBzip2(what: string): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot decompress "${printable(what)}": expected the program bzip2 on this machine, found none`,
    { hint: 'install bzip2, or name the same archive compressed with gzip, xz or zstd' },
  );
}

/** Counts what goes through one decoder. */
class Flow {
  readonly what: string;
  /** Set when the input itself failed, which is then what the user is told. */
  inputError: unknown;
  readonly #maxBytes: number;
  readonly #maxRatio: number;
  #inputBytes = 0;
  #outputBytes = 0;
  #producedBytes = 0;

  constructor({ what = 'archive', maxBytes = DEFAULT_MAX_BYTES, maxRatio = DEFAULT_MAX_RATIO }: DecompressOptions) {
    this.what = what;
    this.#maxBytes = maxBytes;
    this.#maxRatio = maxRatio;
  }

  async *countedInput(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of bytes) {
        this.#inputBytes += chunk.length;
        yield chunk;
      }
    } catch (error) {
      this.inputError = error;
      throw error;
    }
  }

  async *checkedOutput(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of bytes) {
      this.#outputBytes += chunk.length;
      this.#check(this.#outputBytes);
      yield chunk;
    }
  }

  /** Counts output that is not handed on yet; throws where it is too much. */
  produced(length: number): void {
    this.#producedBytes += length;
    this.#check(this.#producedBytes);
  }

  #check(total: number): void {
    if (total > this.#maxBytes) {
      throw archiveRefusal(this.what, `at most ${this.#maxBytes} bytes when decompressed`, 'more');
    }
    if (total > RATIO_COUNTS_FROM_BYTES && total > this.#inputBytes * this.#maxRatio) {
      throw archiveRefusal(this.what, `at most ${this.#maxRatio} times its size when decompressed`, 'more');
    }
  }
}

/** Turns a decoder's complaints into refusals, and lets errors of the input through. */
async function* readable(
  bytes: AsyncIterable<Uint8Array>,
  flow: Flow,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* bytes;
  } catch (error) {
    if (flow.inputError !== undefined) throw flow.inputError;
    if (error instanceof BuilditError) throw error;
    throw archiveRefusal(
      flow.what,
      `whole ${name} data`,
      error instanceof Error ? error.message : 'damaged data',
      error,
    );
  }
}

function gunzipped(input: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  const source = Readable.from(input, { objectMode: false });
  source.on('error', (error) => gunzip.destroy(error));
  gunzip.on('close', () => source.destroy());
  return source.pipe(gunzip);
}

/** Below this, starting a program costs more than decoding more slowly here. */
const SMALL_XZ_BYTES = 384 * 1024;
const SMALL_XZ_OUTPUT_BYTES = 32 * 2 ** 20;

async function* unxz(
  input: AsyncIterable<Uint8Array>,
  options: FilterOptions,
  program: string | undefined,
  flow: Flow,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (program === undefined) {
    yield* readable(unxzHere(input), flow, 'xz');
    return;
  }
  const { start, rest } = await readStart(input, SMALL_XZ_BYTES);
  const small = rest === undefined ? await unxzSmall(start) : undefined;
  if (small !== undefined) {
    yield* small;
    return;
  }
  const all = rest === undefined ? sequence(start) : sequence(start, rest);
  yield* filterThrough(
    [program, '--decompress', '--stdout', '--threads=1', `--memlimit-decompress=${XZ_MEMORY}`],
    all,
    options,
  );
}

/** The first chunks of a stream, at least `length` bytes of them; `rest` is undefined where that is all. */
async function readStart(input: AsyncIterable<Uint8Array>, length: number) {
  const chunks = input[Symbol.asyncIterator]();
  const start: Uint8Array[] = [];
  for (let size = 0; size < length; size += start.at(-1)!.length) {
    const next = await chunks.next();
    if (next.done === true) return { start, rest: undefined };
    start.push(next.value);
  }
  return { start, rest: { [Symbol.asyncIterator]: () => chunks } };
}

async function* sequence(
  start: readonly Uint8Array[],
  rest?: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* start;
  if (rest !== undefined) yield* rest;
}

/** All of a small stream; undefined where anything is unusual, and a program is to have the say. */
async function unxzSmall(chunks: readonly Uint8Array[]): Promise<readonly Uint8Array[] | undefined> {
  const output: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of unxzHere(sequence(chunks))) {
      size += part.length;
      if (size > SMALL_XZ_OUTPUT_BYTES) return undefined;
      output.push(part);
    }
    return output;
  } catch {
    return undefined;
  }
}

/**
 * xz-decompress verifies CRC32 and CRC64 and knows no filters but LZMA2's; enough for what Debian ships. It decodes one
 * stream at a time: another one waits until this one has been read to its end or given up.
 */
async function* unxzHere(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const { XzReadableStream } = (await import('xz-decompress')).default;
  const reader = new XzReadableStream(ReadableStream.from(input) as ReadableStream<Uint8Array>).getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
