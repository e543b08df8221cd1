import { clockHint } from '../model/clock-hint.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { RemoteReader } from '../remote/remote-place.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize, readBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { allOrStop } from './all-or-stop.ts';
import { BinhostIndex } from './binhost-index.ts';
import { type BinhostMemory, recallBinhost, rememberBinhost } from './binhost-memory.ts';
import { indexPartPath, POINTER_PATH } from './binhost-paths.ts';
import { entryCount, readPart } from './compressed-part.ts';
import { EMPTY_INDEX, type IndexContent } from './index-part.ts';
import { MOST_POINTER_BYTES, type PartReference, type Pointer } from './pointer.ts';
import { type PointerReading, readPointer, type TrustPolicy } from './read-pointer.ts';
import { FieldFault } from './strict-fields.ts';

/** A part larger than this is not fetched: two million entries. */
const MOST_PART_BYTES = 256 * 2 ** 20;

export interface Binhost {
  readonly name: string;
  readonly reader: RemoteReader;
  readonly policy: TrustPolicy;
  readonly index: BinhostIndex;
  /** What the index was read from; undefined where the place is empty. */
  readonly pointer: Pointer | undefined;
  /** Told what lies at the place and does not count; one clause that names the file. */
  readonly onDoubt: (text: string) => void;
}

export interface OpenBinhostOptions {
  readonly name: string;
  readonly reader: RemoteReader;
  readonly policy: TrustPolicy;
  /** An expired index is refused instead of warned of. */
  readonly requireFresh: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onWarning: (text: string, hint?: string) => void;
}

/**
 * Reads what a place holds: the pointer and the two parts that it names, or, where nothing is new, the pointer alone by one
 * conditional request. A place that cannot be believed is a `BuilditError` of code `signature-invalid`.
 */
export async function openBinhost(store: Store, options: OpenBinhostOptions): Promise<Binhost> {
  const { name, reader, policy } = options;
  const place = `${name} ${reader.shown}`;
  const memory = await recallBinhost(store, place);
  const accepted = await currentPointer(options, memory);
  const onDoubt = (text: string) => warn(options, text);
  if (accepted === undefined) {
    return { name, reader, policy, index: new BinhostIndex(EMPTY_INDEX, EMPTY_INDEX), pointer: undefined, onDoubt };
  }
  const { pointer } = accepted;
  refuseExpired(pointer, options);
  const parts = await allOrStop(
    options.signal,
    [pointer.tail, pointer.base].map((part) => (signal) => fetchPart(store, part, { ...options, signal })),
  );
  if (accepted.memory !== memory) await rememberBinhost(store, place, accepted.memory);
  return { name, reader, policy, index: new BinhostIndex(parts[0]!, parts[1]!), pointer, onDoubt };
}

interface Accepted {
  readonly pointer: Pointer;
  readonly memory: BinhostMemory;
}

/** The newer of what lies there and what was accepted before. Undefined for an empty place. */
async function currentPointer(
  options: OpenBinhostOptions,
  memory: BinhostMemory | undefined,
): Promise<Accepted | undefined> {
  const { reader, policy, signal } = options;
  const known = memory === undefined ? undefined : accept(readPointer(Buffer.from(memory.pointer), policy), memory);
  const answer = await reader.read(POINTER_PATH, {
    maximumBytes: MOST_POINTER_BYTES,
    etag: known === undefined ? undefined : memory?.etag,
    signal,
  });
  if (answer === 'unchanged' && known !== undefined) return known;
  if (answer === 'unchanged' || answer === 'missing')
    return known === undefined ? undefined : keepKnown(options, known, 'missing');
  const reading = readPointer(answer.bytes, policy);
  if (reading.kind === 'refused') throw distrusted(options, reading.reason, { hint: hintFor(reading.because, policy) });
  if (reading.doubt !== undefined) warn(options, reading.doubt);
  const found = accept(reading, { pointer: answer.bytes.toString('utf8'), etag: answer.etag })!;
  return known === undefined ? found : newer(options, known, found);
}

function accept(reading: PointerReading, memory: BinhostMemory): Accepted | undefined {
  return reading.kind === 'pointer' ? { pointer: reading.pointer, memory } : undefined;
}

/** Never goes back: what was accepted once stays accepted until something newer is there. */
function newer(options: OpenBinhostOptions, known: Accepted, found: Accepted): Accepted {
  const [before, after] = [known.pointer, found.pointer];
  if (after.id !== before.id) {
    throw distrusted(options, 'another place than before: its id has changed', {
      details: [`was ${before.id}, is ${after.id}`],
      hint: 'where it was made anew, give it another name in your configuration; the packages are built from source meanwhile',
    });
  }
  if (after.generation > before.generation) return found;
  if (after.generation === before.generation) {
    if (found.memory.pointer === known.memory.pointer) {
      return found.memory.etag === known.memory.etag ? known : { ...known, memory: found.memory };
    }
    return keepKnown(options, known, `another one with the number ${after.generation}`);
  }
  return keepKnown(options, known, `generation ${after.generation}, older than ${before.generation} that was seen`);
}

function keepKnown(options: OpenBinhostOptions, known: Accepted, found: string): Accepted {
  warn(options, `its index is ${found}; what was read from it before is used`);
  return known;
}

function refuseExpired(pointer: Pointer, options: OpenBinhostOptions): void {
  if (options.policy.now.getTime() < Date.parse(pointer.expires)) return;
  const reason = `its index expired at ${pointer.expires}: nobody has published or refreshed it since ${pointer.time}`;
  if (options.requireFresh) throw distrusted(options, reason, { hint: clockAndSource(options.policy) });
  warn(options, reason);
}

async function fetchPart(store: Store, part: PartReference | null, options: OpenBinhostOptions): Promise<IndexContent> {
  if (part === null) return EMPTY_INDEX;
  const path = indexPartPath(part.digest);
  try {
    const kept =
      (await blobSize(store, part.digest)) === part.size
        ? await readBlob(store, part.digest).catch(() => undefined)
        : undefined;
    const content = await readPart(kept ?? (await download(store, part, path, options)));
    const entries = entryCount(content);
    if (entries !== part.entries) throw new FieldFault(`expected ${part.entries} entries, found ${entries}`);
    return content;
  } catch (error) {
    if (error instanceof FieldFault) throw distrusted(options, `"${path}" is damaged: ${error.message}`);
    if (error instanceof BuilditError && DAMAGE.includes(error.code)) {
      throw distrusted(options, `"${path}" is damaged: ${error.message}`);
    }
    throw error;
  }
}

const DAMAGE: readonly string[] = ['checksum-mismatch', 'input-invalid', 'archive-refused'];

async function download(
  store: Store,
  part: PartReference,
  path: string,
  { reader, signal }: OpenBinhostOptions,
): Promise<Buffer> {
  if (part.size > MOST_PART_BYTES)
    throw new FieldFault(`expected at most ${MOST_PART_BYTES} bytes, found ${part.size}`);
  const answer = await reader.open(path, { offset: 0, size: part.size, signal });
  if (answer === 'missing') throw new FieldFault('expected the file, found none');
  await putBlob(store, answer, { expected: part.digest, size: part.size, what: `${reader.shown}/${path}` });
  return readBlob(store, part.digest);
}

function warn({ name, onWarning }: OpenBinhostOptions, reason: string): void {
  onWarning(`binhost "${printable(name)}": ${printable(reason)}`);
}

function distrusted(
  { name, reader }: OpenBinhostOptions,
  reason: string,
  { details = [], hint = DAMAGED_HINT }: { readonly details?: readonly string[]; readonly hint?: string } = {},
): BuilditError {
  return new BuilditError(
    'signature-invalid',
    `Cannot use the binhost "${printable(name)}": expected an index by a trusted signer at ${reader.shown}/${POINTER_PATH}, found ${printable(reason)}`,
    { details, hint },
  );
}

const TRUST_HINT =
  'buildit key trust KEY adds whom you believe to your allowed_signers; the packages are built from source meanwhile';
const DAMAGED_HINT =
  'trust is not what is missing: nothing between this machine and the place may change files (a proxy, a login page); ' +
  'the packages are built from source meanwhile';

/** Trusting a key helps where only trust is missing. */
function hintFor(
  because: Extract<PointerReading, { readonly kind: 'refused' }>['because'],
  policy: TrustPolicy,
): string {
  switch (because) {
    case 'stranger':
    case 'other-namespace':
      return TRUST_HINT;
    case 'expired':
    case 'not-yet-valid':
      return clockAndSource(policy);
    case 'revoked':
      return 'the key was revoked: ask who publishes there for an index with another one; the packages are built from source meanwhile';
    default:
      return DAMAGED_HINT;
  }
}

function clockAndSource({ now }: TrustPolicy): string {
  return `${clockHint(now.getTime())}; the packages are built from source meanwhile`;
}
