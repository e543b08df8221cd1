import { sha256 } from '../model/digest.ts';
import type { BinhostIdentity } from './binhost-identity.ts';
import { generationPath, indexPartPath, POINTER_PATH } from './binhost-paths.ts';
import { entryCount, readPart } from './compressed-part.ts';
import { EMPTY_INDEX, type IndexContent } from './index-part.ts';
import { asDamage, type Check } from './place-check.ts';
import type { PlaceListing } from './place-listing.ts';
import { MOST_POINTER_BYTES, type PartReference, type Pointer } from './pointer.ts';
import { readPointer } from './read-pointer.ts';
import { FieldFault } from './strict-fields.ts';

/** The pointer and every generation. Answers the newest that can be read, whoever signed it. */
export async function checkPointers(
  check: Check,
  listing: PlaceListing,
  identity: BinhostIdentity | undefined,
): Promise<Pointer | undefined> {
  const current = await checkPointer(check, POINTER_PATH, identity);
  if (current === undefined && listing.generations.size > 0)
    check.found('missing', POINTER_PATH, 'generations are there, and no pointer that can be read');
  let newest = current;
  for (const number of [...listing.generations.keys()].sort((a, b) => a - b)) {
    const path = generationPath(number);
    const pointer = await checkPointer(check, path, identity);
    if (pointer === undefined) continue;
    for (const part of [pointer.base, pointer.tail]) if (part !== null) check.kept.add(indexPartPath(part.digest));
    if (pointer.generation !== number) check.found('damaged', path, `it is generation ${pointer.generation}`);
    else if (number === (newest?.generation ?? 0) + 1) newest = pointer;
  }
  if (newest !== undefined && newest !== current && current !== undefined)
    check.found(
      'incomplete',
      POINTER_PATH,
      `generation ${newest.generation} is there; a publisher was cut before naming it`,
    );
  if (newest !== undefined && check.policy.now.getTime() >= Date.parse(newest.expires))
    check.found('expired', POINTER_PATH, `it expired at ${newest.expires}: a publish or \`binhost gc\` renews it`);
  return newest;
}

async function checkPointer(
  { writer, policy, found }: Check,
  path: string,
  identity: BinhostIdentity | undefined,
): Promise<Pointer | undefined> {
  try {
    const answer = await writer.read(path, { maximumBytes: MOST_POINTER_BYTES });
    if (typeof answer === 'string') return undefined;
    const judged = readPointer(answer.bytes, policy);
    const reading = judged.kind === 'pointer' ? judged : readPointer(answer.bytes, { ...policy, verify: 'off' });
    if (reading.kind === 'refused') {
      found('damaged', path, reading.reason);
      return undefined;
    }
    if (judged.kind === 'refused') found('untrusted', path, judged.reason);
    if (identity !== undefined && reading.pointer.id !== identity.id)
      found('damaged', path, 'it is of another binhost');
    return reading.pointer;
  } catch (error) {
    found('damaged', path, asDamage(error));
    return undefined;
  }
}

/** What a part of the index says; nothing where it cannot be read. */
export async function checkPart(
  { writer, found, kept }: Check,
  part: PartReference | null | undefined,
): Promise<IndexContent> {
  if (part === null || part === undefined) return EMPTY_INDEX;
  const path = indexPartPath(part.digest);
  kept.add(path);
  try {
    const answer = await writer.read(path, { maximumBytes: part.size });
    if (typeof answer === 'string') {
      found('missing', path, 'the pointer names it');
      return EMPTY_INDEX;
    }
    if (sha256(answer.bytes) !== part.digest) throw new FieldFault('it is not what its digest says');
    const content = await readPart(answer.bytes);
    if (entryCount(content) !== part.entries)
      throw new FieldFault('it has another number of entries than the pointer says');
    return content;
  } catch (error) {
    found('damaged', path, asDamage(error));
    return EMPTY_INDEX;
  }
}
