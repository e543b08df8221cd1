import { sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import type { Signer } from '../signing/signer.ts';
import type { BinhostIdentity } from './binhost-identity.ts';
import { generationPath, indexPartPath, POINTER_PATH } from './binhost-paths.ts';
import { compressPart, readPart } from './compressed-part.ts';
import { EMPTY_INDEX, type IndexContent, indexPartText, mergeIndex } from './index-part.ts';
import {
  MOST_POINTER_BYTES,
  type PartReference,
  type Pointer,
  pointerLine,
  pointerPadding,
  signedPointerText,
} from './pointer.ts';
import { readPointer, type TrustPolicy } from './read-pointer.ts';
import { replaceIfOther } from './replace-if-other.ts';
import { FieldFault } from './strict-fields.ts';

/**
 * What a tail may weigh at a place: publishing one package reads it and writes it, and SSH and SFTP move about 25 KiB
 * besides; all of that is to stay below 64 KiB.
 */
export const MOST_TAIL_BYTES = 16 * 1024;
const EXPIRES_AFTER_MS = 90 * 24 * 3600 * 1000;
const MOST_TRIES = 1000;

export interface CommitOptions {
  readonly identity: BinhostIdentity;
  readonly signer: Signer;
  /** Whose index may be built upon; the signer's own always. */
  readonly policy: TrustPolicy;
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
}

/** What reading an index needs. */
export type IndexSource = Pick<CommitOptions, 'identity' | 'policy'>;

/** The newest generation of a place. */
export interface Current {
  readonly pointer: Pointer;
  readonly text: string;
}

/**
 * Adds entries to a place's index: a new tail, then the next generation by exclusive creation, which is the commit, then
 * the pointer. Whoever is late merges with what the other wrote and tries again; no entry is ever lost, and nothing is
 * locked. Answers the generation, also where every entry was there already. `nothingNew` says that nothing else was sent,
 * so that it is worth a look into the base whether there is anything to add; `refold` makes one base of both parts.
 */
export async function commitEntries(
  writer: RemoteWriter,
  added: IndexContent,
  options: CommitOptions,
  { refold = false, nothingNew = false }: { readonly refold?: boolean; readonly nothingNew?: boolean } = {},
): Promise<number> {
  return commitParts(writer, options, (pointer) => mergedParts(writer, pointer, added, { refold, nothingNew }));
}

/**
 * Puts what `change` makes of everything at a place into one base and commits that as `commitEntries` does: of two who
 * are there at once the later one sees what the other made. Answers the generation.
 */
export async function commitContent(
  writer: RemoteWriter,
  change: (content: IndexContent) => IndexContent,
  options: CommitOptions,
): Promise<number> {
  return commitParts(writer, options, async (pointer) => {
    const [tail, base] = [pointer?.tail ?? null, pointer?.base ?? null];
    const content = mergeIndex(await readPartAt(writer, tail), await readPartAt(writer, base));
    const whole = await compressPart(change(content));
    await createPart(writer, whole);
    return { base: whole.reference, tail: null };
  });
}

type Parts = Pick<Pointer, 'base' | 'tail'>;

/** The loop of a commit; `partsOf` answers undefined where there is nothing to add to what the pointer names. */
async function commitParts(
  writer: RemoteWriter,
  options: CommitOptions,
  partsOf: (pointer: Pointer | undefined) => Promise<Parts | undefined>,
): Promise<number> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    throwIfAborted(options.signal);
    const current = await newestGeneration(writer, options);
    const parts = await partsOf(current?.pointer);
    if (parts === undefined) {
      await settlePointer(writer, options);
      return current!.pointer.generation;
    }
    const generation = (current?.pointer.generation ?? 0) + 1;
    const text = await signPointer({ ...parts, generation }, options);
    if (!(await writer.create(generationPath(generation), Buffer.from(text)))) continue;
    await settlePointer(writer, options);
    return generation;
  }
  throw new BuilditError('busy', `Cannot publish to ${writer.shown}: others commit faster than this machine`, {
    hint: 'run the same command again: what has been sent stays there',
  });
}

/** Everything that the newest generation names. */
export async function readNewestIndex(
  writer: RemoteWriter,
  options: IndexSource,
): Promise<{ readonly generation: number; readonly content: IndexContent }> {
  const current = await newestGeneration(writer, options);
  if (current === undefined) return { generation: 0, content: EMPTY_INDEX };
  const { generation, tail, base } = current.pointer;
  return { generation, content: mergeIndex(await readPartAt(writer, tail), await readPartAt(writer, base)) };
}

/** The parts of the next index; undefined where everything is in it already. */
async function mergedParts(
  writer: RemoteWriter,
  pointer: Pointer | undefined,
  added: IndexContent,
  { refold, nothingNew }: { readonly refold: boolean; readonly nothingNew: boolean },
): Promise<Parts | undefined> {
  const base = pointer?.base ?? null;
  const tail = await readPartAt(writer, pointer?.tail ?? null);
  const merged = mergeIndex(added, tail);
  if (!refold && pointer !== undefined && isEqual(merged, tail)) return undefined;
  if (!refold && nothingNew && base !== null) {
    const all = mergeIndex(tail, await readPartAt(writer, base));
    if (isEqual(mergeIndex(added, all), all)) return undefined;
  }
  const compressed = await compressPart(merged);
  if (!refold && compressed.bytes.length <= MOST_TAIL_BYTES) {
    await createPart(writer, compressed);
    return { base, tail: compressed.reference };
  }
  const whole = await compressPart(mergeIndex(merged, await readPartAt(writer, base)));
  await createPart(writer, whole);
  return { base: whole.reference, tail: null };
}

/** One that a power cut left damaged under its name is mended, before anything names it. */
async function createPart(
  writer: RemoteWriter,
  { reference, bytes }: Awaited<ReturnType<typeof compressPart>>,
): Promise<void> {
  const path = indexPartPath(reference.digest);
  if (!(await writer.create(path, bytes))) await replaceIfOther(writer, path, bytes);
}

function isEqual(a: IndexContent, b: IndexContent): boolean {
  return indexPartText(a) === indexPartText(b);
}

async function readPartAt(writer: RemoteWriter, part: PartReference | null): Promise<IndexContent> {
  if (part === null) return EMPTY_INDEX;
  const path = indexPartPath(part.digest);
  const answer = await writer.read(path, { maximumBytes: part.size });
  const found = await partOf(answer, part);
  if (typeof found !== 'string') return found;
  throw new BuilditError(
    'checksum-mismatch',
    `Cannot use the binhost at ${writer.shown}: expected the part "${path}" that its pointer names, found ${found}`,
    { hint: 'buildit binhost verify tells what else is damaged there' },
  );
}

async function partOf(
  answer: Awaited<ReturnType<RemoteWriter['read']>>,
  part: PartReference,
): Promise<IndexContent | string> {
  if (typeof answer === 'string') return 'none';
  if (sha256(answer.bytes) !== part.digest) return 'other bytes';
  try {
    return await readPart(answer.bytes);
  } catch (error) {
    if (error instanceof FieldFault || error instanceof BuilditError) return `a damaged one: ${error.message}`;
    throw error;
  }
}

/** The generation that the pointer names, or the last one after it: a publisher may have died between the two. */
export async function newestGeneration(writer: RemoteWriter, options: IndexSource): Promise<Current | undefined> {
  let current = await readGeneration(writer, POINTER_PATH, options);
  for (;;) {
    const next = await readGeneration(writer, generationPath((current?.pointer.generation ?? 0) + 1), options);
    if (next === undefined) return current;
    current = next;
  }
}

async function readGeneration(
  writer: RemoteWriter,
  path: string,
  { identity, policy }: IndexSource,
): Promise<Current | undefined> {
  const answer = await writer.read(path, { maximumBytes: MOST_POINTER_BYTES });
  if (typeof answer === 'string') return undefined;
  const reading = readPointer(answer.bytes, policy);
  const reason =
    reading.kind === 'refused'
      ? reading.reason
      : reading.pointer.id !== identity.id
        ? 'the index of another binhost'
        : undefined;
  if (reading.kind === 'pointer' && reason === undefined) {
    return { pointer: reading.pointer, text: answer.bytes.toString('utf8') };
  }
  throw new BuilditError(
    'signature-invalid',
    `Cannot use the binhost at ${writer.shown}: expected an index by a trusted signer at "${path}", found ${reason}`,
    { hint: 'buildit key trust KEY, where you believe whoever published there; else use another place' },
  );
}

async function signPointer(
  { generation, base, tail }: Pick<Pointer, 'generation' | 'base' | 'tail'>,
  { identity, signer, now }: CommitOptions,
): Promise<string> {
  const line = pointerLine({
    format: 1,
    id: identity.id,
    name: identity.name,
    generation,
    time: now.toISOString(),
    expires: new Date(now.getTime() + EXPIRES_AFTER_MS).toISOString(),
    padding: pointerPadding(generation),
    base,
    tail,
  });
  return signedPointerText({ line, signature: await signer.sign('buildit-index', Buffer.from(line)) });
}

/**
 * Makes the pointer name the newest generation, looked for just before it is written. Whoever writes an older one over a
 * newer one all the same sees that and mends it.
 */
async function settlePointer(writer: RemoteWriter, options: CommitOptions): Promise<void> {
  for (;;) {
    const newest = await newestGeneration(writer, options);
    if (newest === undefined) return;
    const there = await writer.read(POINTER_PATH, { maximumBytes: MOST_POINTER_BYTES });
    if (typeof there !== 'string' && there.bytes.toString('utf8') === newest.text) return;
    await writer.replace(POINTER_PATH, Buffer.from(newest.text));
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new BuilditError('interrupted', 'Cannot publish: interrupted');
}
