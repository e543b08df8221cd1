import { clockHint } from '../model/clock-hint.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { keyId } from '../signing/public-key.ts';
import { allOrStop } from './all-or-stop.ts';
import { publishedRecordPath, signaturePath } from './binhost-paths.ts';
import { areEnough, countBuilders } from './count-builders.ts';
import type { IndexEntry } from './index-part.ts';
import type { Binhost } from './open-binhost.ts';
import { decodeUtf8 } from './pointer.ts';
import {
  factsOf,
  MOST_RECORD_BYTES,
  MOST_SIGNATURE_BYTES,
  type PublishedRecord,
  parsePublishedRecord,
} from './published-record.ts';
import { mayCount } from './read-pointer.ts';
import { FieldFault } from './strict-fields.ts';

/** A record with the signature that makes it count. */
export interface SignedRecord {
  readonly record: PublishedRecord;
  /** The bytes that were signed. */
  readonly text: string;
  readonly signature: string;
  /** Who signed it, as allowed_signers calls them; undefined where a weaker policy let it pass unsigned. */
  readonly principal: string | undefined;
  /** Whose key that is, as `Verdict` says it; undefined where `principal` is. */
  readonly person: string | undefined;
}

export type PackageAnswer =
  /**
   * `agreeing`: the records of those who say the same, at least one; the layers can be fetched by any of them. `vouched`:
   * blobs that as many of them named as are wanted, so that what is in them needs no further proof.
   */
  | { readonly kind: 'found'; readonly agreeing: readonly SignedRecord[]; readonly vouched: ReadonlySet<Digest> }
  /**
   * One clause; `doubts` say what was there and did not count, one line each. `ofStrangers`: some of it would count if its
   * signer were trusted.
   */
  | {
      readonly kind: 'missing';
      readonly reason: string;
      readonly doubts: readonly string[];
      readonly ofStrangers: boolean;
    };

/**
 * Takes the records of some index entries that count: signed by enough trusted builders who agree on all that follows from
 * the HASH. What does not count is a doubt, never an error; a place that cannot be reached throws.
 */
export async function findPackage(
  binhost: Binhost,
  entries: readonly IndexEntry[],
  { builders, signal }: { readonly builders: number; readonly signal?: AbortSignal | undefined },
): Promise<PackageAnswer> {
  const doubts: string[] = [];
  let ofStrangers = false;
  const groups = new Map<string, SignedRecord[]>();
  for (const entry of knownFirst(binhost, entries)) {
    const answer = await readSignedRecord(binhost, entry, signal);
    if ('doubt' in answer) {
      doubts.push(answer.doubt);
      ofStrangers ||= answer.isStranger;
      continue;
    }
    // Of one build key there may be several HASHes.
    const facts = factsOf({ ...answer.record, hash: answer.record.buildKey });
    groups.set(facts, [...(groups.get(facts) ?? []), answer]);
    if (builders <= 1) break;
  }
  const enough = [...groups.values()].filter((group) => areEnough(group, builders));
  const disagreeing = [...groups.values()].filter((group) => !enough.includes(group)).flat();
  if (groups.size > 1) {
    doubts.push(
      ...disagreeing.map(
        ({ record, principal }) =>
          `${principal ?? 'a stranger'} signed something else for ${record.name}-${record.version} than others did`,
      ),
    );
  }
  if (enough.length === 1) {
    for (const doubt of doubts) binhost.onDoubt(doubt);
    const vouched = vouchedBlobs(enough[0]!, builders);
    const rank = ({ record }: SignedRecord) => (isVouched(record, vouched) ? 0 : 1);
    return { kind: 'found', agreeing: enough[0]!.toSorted((a, b) => rank(a) - rank(b)), vouched };
  }
  const reason =
    enough.length > 1
      ? 'trusted builders disagree on what it holds'
      : entries.length === 0
        ? 'not there'
        : groups.size === 0
          ? (doubts[0] ?? 'not there')
          : `signed by ${Math.max(...[...groups.values()].map(countBuilders))} of ${builders} trusted builders`;
  return { kind: 'missing', reason, doubts, ofStrangers };
}

/** So that what strangers wrote costs nothing where somebody trusted wrote too. */
function knownFirst({ policy }: Binhost, entries: readonly IndexEntry[]): readonly IndexEntry[] {
  const rank = ({ key }: IndexEntry) => (policy.trust.knows(key) ? 0 : 1);
  return entries.toSorted((a, b) => rank(a) - rank(b));
}

interface Doubt {
  readonly doubt: string;
  readonly isStranger: boolean;
}

function doubtful(doubt: string): Doubt {
  return { doubt, isStranger: false };
}

/** The record of an entry if it counts, else one clause that names the file and says why it does not. */
async function readSignedRecord(
  { reader, policy, onDoubt }: Binhost,
  entry: IndexEntry,
  signal: AbortSignal | undefined,
): Promise<SignedRecord | Doubt> {
  const path = publishedRecordPath(entry.hash, entry.key);
  const shown = `${reader.shown}/${path}`;
  try {
    const [document, armored] = (await allOrStop(signal, [
      (both) => reader.read(path, { maximumBytes: MOST_RECORD_BYTES, signal: both }),
      (both) => reader.read(signaturePath(path), { maximumBytes: MOST_SIGNATURE_BYTES, signal: both }),
    ])) as [RemoteAnswer, RemoteAnswer];
    if (typeof document === 'string' || typeof armored === 'string')
      return doubtful(`${shown} or its signature is not there`);
    const signature = decodeUtf8(armored.bytes);
    let principal: string | undefined;
    let person: string | undefined;
    if (policy.verify !== 'off') {
      const verdict = policy.trust.judge(document.bytes, signature, {
        namespace: 'buildit-package',
        at: policy.now,
        principals: policy.principals,
      });
      if (verdict.kind === 'trusted') {
        if (keyId(verdict.key) !== entry.key) return doubtful(`${shown} is signed by another key than its name says`);
        ({ principal, person } = verdict);
      } else if (mayCount(verdict, policy.verify)) {
        onDoubt(`${shown}: ${verdict.reason}`);
      } else {
        const { kind, reason } = verdict;
        const clock = kind === 'expired' || kind === 'not-yet-valid' ? `; ${clockHint(policy.now.getTime())}` : '';
        return { doubt: `${shown}: ${reason}${clock}`, isStranger: kind === 'stranger' };
      }
    }
    const text = decodeUtf8(document.bytes);
    const record = parsePublishedRecord(text);
    if (record.hash !== entry.hash || record.buildKey !== entry.buildKey)
      return doubtful(`${shown} is the record of another package`);
    if (record.platform !== entry.platform) return doubtful(`${shown} is for ${record.platform}`);
    return { record, text, signature, principal, person };
  } catch (error) {
    if (error instanceof FieldFault) return doubtful(`${shown} is damaged: ${error.message}`);
    if (error instanceof BuilditError && error.code === 'input-invalid')
      return doubtful(`${shown} is damaged: ${error.message}`);
    throw error;
  }
}

type RemoteAnswer = Awaited<ReturnType<Binhost['reader']['read']>>;

/** The layers of a record, as one text. */
export function layersOf({ outputs }: Pick<PublishedRecord, 'outputs'>): string {
  return Object.entries(outputs)
    .map(([name, { diffId }]): [string, Digest] => [name, diffId])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join(' '))
    .join('\n');
}

function vouchedBlobs(group: readonly SignedRecord[], builders: number): ReadonlySet<Digest> {
  const named = (digest: Digest) => group.filter(({ record }) => blobsOfLayers(record).includes(digest));
  const all = group.flatMap(({ record }) => blobsOfLayers(record));
  return new Set(builders <= 1 ? all : all.filter((digest) => countBuilders(named(digest)) >= builders));
}

function isVouched({ outputs }: PublishedRecord, vouched: ReadonlySet<Digest>): boolean {
  return Object.values(outputs).every(({ blobs }) => blobs.some(({ digest }) => vouched.has(digest)));
}

function blobsOfLayers({ outputs }: PublishedRecord): readonly Digest[] {
  return Object.values(outputs).flatMap(({ blobs }) => blobs.map(({ digest }) => digest));
}
