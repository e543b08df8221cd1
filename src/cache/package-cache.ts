import { areEnough, countBuilders, type Vote, voteOfKey } from '../binhost/count-builders.ts';
import { fetchPackage } from '../binhost/fetch-package.ts';
import { findPackage, type PackageAnswer, type SignedRecord } from '../binhost/find-package.ts';
import type { IndexEntry } from '../binhost/index-part.ts';
import type { Binhost } from '../binhost/open-binhost.ts';
import type { PublishedRecord } from '../binhost/published-record.ts';
import { append } from '../model/append.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Hash } from '../model/package-hash.ts';
import type { PackageRecord } from '../model/record.ts';
import type { Store } from '../store/store.ts';
import { findByHash, findKeptRecords, findSameBuild, type Lookup, type LookupMiss } from './find-record.ts';
import { keepSealed, type LocalSeal } from './local-seal.ts';

/** A binhost as it is asked in one run. */
export interface CachePlace {
  readonly name: string;
  /** How many trusted builders must agree. */
  readonly builders: number;
  /** What it holds; read once in a run. A clause says why it is not asked any more: it is down, or not to be believed. */
  readonly open: () => Promise<Binhost | { readonly unusable: string }>;
}

export interface PackageCacheOptions {
  readonly store: Store;
  readonly seal: LocalSeal;
  /** In the order they are asked. */
  readonly places: readonly CachePlace[];
  readonly signal: AbortSignal;
  readonly onWarning: (text: string, hint?: string) => void;
  /** Told of a package that is fetched, and how far that is. */
  readonly onFetch: (record: { readonly hash: Hash; readonly name: string; readonly place: string }) => FetchProgress;
}

export interface FetchProgress {
  progress(done: number, total: number): void;
  finished(outcome: 'done' | 'failed'): void;
}

/** Where a package may be taken from. A doubt about what is found is a miss and a warning; the build goes on. */
export interface PackageCache {
  /** The package in the store, brought there from a binhost where need be. */
  find(hash: Hash): Promise<Lookup>;
  findSame(buildKey: Digest): Promise<Lookup>;
  /** Every record that counts of this HASH or this build, of the store and of each place; no layers are fetched. */
  findRecords(hash: Hash, buildKey: Digest): Promise<readonly PlacedRecord[]>;
  /** Where the package is, by the indexes alone: nothing is fetched for it. */
  peek(hash: Hash): Promise<Availability>;
}

export interface PlacedRecord {
  readonly place: 'locally' | string;
  readonly record: Pick<PackageRecord, 'outputs'> | PublishedRecord;
}

export type Availability =
  | { readonly kind: 'hit'; readonly place: 'locally' | string; readonly buildKey: Digest | undefined }
  | { readonly kind: 'miss'; readonly reason: string };

export function createPackageCache(given: PackageCacheOptions): PackageCache {
  const options = { ...given, onWarning: saidOnce(given.onWarning) };
  const { store, seal, places } = options;
  return {
    async find(hash) {
      const local = await findByHash(store, hash, seal);
      return local.kind === 'hit' ? local : takeFrom(options, local, (binhost) => binhost.index.withHash(hash));
    },
    async findSame(buildKey) {
      const local = await findSameBuild(store, buildKey, seal);
      if (local.kind === 'hit') return local;
      return takeFrom(options, local, (binhost) => binhost.index.withBuildKey(buildKey));
    },
    async findRecords(hash, buildKey) {
      const kept = await findKeptRecords(store, hash, buildKey, seal);
      const found: PlacedRecord[] = kept.map((record) => ({ place: 'locally', record }));
      for (const place of places) append(found, await recordsAt(options, place, hash, buildKey));
      return found;
    },
    async peek(hash) {
      const local = await findByHash(store, hash, seal);
      if (local.kind === 'hit') return { kind: 'hit', place: local.place, buildKey: local.record.buildKey };
      const reasons = [local.reason];
      for (const place of places) {
        const binhost = await place.open();
        if ('unusable' in binhost) {
          reasons.push(`'${place.name}' ${binhost.unusable}`);
          continue;
        }
        const entries = binhost.index.withHash(hash);
        const votes = votesFor(entries, binhost);
        if (areEnough(votes, place.builders))
          return { kind: 'hit', place: place.name, buildKey: votes[0]!.entry.buildKey };
        reasons.push(entries.length === 0 ? `not at '${place.name}'` : notCounting(place, binhost, entries, votes));
      }
      return { kind: 'miss', reason: reasons.join('; ') };
    },
  };
}

/** A place that goes down in the middle of a run has one message for all packages. */
function saidOnce(warn: PackageCacheOptions['onWarning']): PackageCacheOptions['onWarning'] {
  const said = new Set<string>();
  return (text, hint) => {
    if (!said.has(text)) warn(text, hint);
    said.add(text);
  };
}

function votesFor(entries: readonly IndexEntry[], { policy }: Binhost): (Vote & { readonly entry: IndexEntry })[] {
  return entries.flatMap((entry) => {
    const vote = voteOfKey(entry.key, policy);
    return typeof vote === 'string' ? [] : [{ ...vote, entry }];
  });
}

function notCounting(
  place: CachePlace,
  { policy }: Binhost,
  entries: readonly IndexEntry[],
  votes: readonly Vote[],
): string {
  const count = countBuilders(votes);
  if (votes.length > 0) return `at '${place.name}' signed by ${count} of ${place.builders} trusted builders`;
  return `found at '${place.name}', but ${voteOfKey(entries[0]!.key, policy) as string}`;
}

/** Asks the places in turn; the first that has something that counts is taken. */
async function takeFrom(
  options: PackageCacheOptions,
  local: LookupMiss,
  entriesAt: (binhost: Binhost) => readonly IndexEntry[],
): Promise<Lookup> {
  const reasons = [local.reason];
  const unusable = local.unusable === undefined ? [] : [local.unusable];
  for (const place of options.places) {
    const binhost = await place.open();
    if ('unusable' in binhost) {
      reasons.push(`'${place.name}' ${binhost.unusable}`);
      continue;
    }
    const entries = entriesAt(binhost);
    if (entries.length === 0) {
      reasons.push(`not at '${place.name}'`);
      continue;
    }
    const taken = await takeFromPlace(options, place, binhost, entries);
    if (typeof taken !== 'string') return { kind: 'hit', record: taken, place: place.name };
    reasons.push(`at '${place.name}': ${taken}`);
    unusable.push(`at '${place.name}': ${taken}`);
  }
  const miss = { kind: 'miss', reason: reasons.join('; ') } as const;
  return unusable.length === 0 ? miss : { ...miss, unusable: unusable[0]! };
}

/** The record, its files in the store; or one clause why nothing was taken, which the user has been warned of. */
async function takeFromPlace(
  options: PackageCacheOptions,
  place: CachePlace,
  binhost: Binhost,
  entries: readonly IndexEntry[],
): Promise<PackageRecord | string> {
  const { signal, onWarning } = options;
  try {
    const answer = await findPackage(binhost, entries, { builders: place.builders, signal });
    if (answer.kind === 'missing') {
      const hint = answer.ofStrangers ? TRUST_HINT : FROM_SOURCE;
      for (const doubt of answer.doubts) onWarning(`binhost '${place.name}': ${printable(doubt)}`, hint);
      return answer.reason;
    }
    return await fetchFromOne(options, place, binhost, answer);
  } catch (error) {
    if (signal.aborted || !(error instanceof BuilditError) || LOCAL_FAULTS.includes(error.code)) throw error;
    onWarning(`binhost '${place.name}': ${error.message}`, FROM_SOURCE);
    return error.message;
  }
}

/** The records of a place that enough of its builders signed; a place that cannot be asked has none, with a warning. */
async function recordsAt(
  { signal, onWarning }: PackageCacheOptions,
  place: CachePlace,
  hash: Hash,
  buildKey: Digest,
): Promise<readonly PlacedRecord[]> {
  const binhost = await place.open();
  if ('unusable' in binhost) return [];
  try {
    const { builders } = place;
    const ways = [binhost.index.withHash(hash), binhost.index.withBuildKey(buildKey)];
    const answers = await Promise.all(ways.map((entries) => findPackage(binhost, entries, { builders, signal })));
    return answers.flatMap((answer) =>
      answer.kind === 'found' ? answer.agreeing.map(({ record }) => ({ place: place.name, record })) : [],
    );
  } catch (error) {
    if (signal.aborted || !(error instanceof BuilditError)) throw error;
    onWarning(`binhost '${place.name}': ${error.message}`, 'what was built is not compared with this binhost');
    return [];
  }
}

const FROM_SOURCE = 'the package is built from source instead';
const TRUST_HINT = '`buildit key trust` adds whom you believe; the package is built from source instead';

/** What is wrong here, not there. */
const LOCAL_FAULTS: readonly string[] = ['cannot-write', 'disk-full', 'interrupted'];

/** What one of several agreeing builders said, if it proves wrong, leads to the next of them. */
async function fetchFromOne(
  options: PackageCacheOptions,
  place: CachePlace,
  binhost: Binhost,
  { agreeing, vouched }: Extract<PackageAnswer, { readonly kind: 'found' }>,
): Promise<PackageRecord> {
  for (const [index, signed] of agreeing.entries()) {
    try {
      return await fetchAndKeep(options, place, binhost, { signed, vouched });
    } catch (error) {
      const isLast = index === agreeing.length - 1;
      if (isLast || !(error instanceof BuilditError) || !ONE_FILE_FAULTS.includes(error.code)) throw error;
      options.onWarning(`binhost '${place.name}': ${error.message}`, `${signed.principal ?? 'a stranger'} signed it`);
    }
  }
  throw new Error('a package was found without a record');
}

const ONE_FILE_FAULTS: readonly string[] = ['checksum-mismatch', 'input-invalid', 'archive-refused', 'file-missing'];

async function fetchAndKeep(
  { store, seal, signal, onFetch }: PackageCacheOptions,
  place: CachePlace,
  { reader, policy }: Binhost,
  { signed, vouched }: { readonly signed: SignedRecord; readonly vouched: ReadonlySet<Digest> },
): Promise<PackageRecord> {
  const { record, text, signature } = signed;
  const task = onFetch({ hash: record.hash, name: `${record.name}-${record.version}`, place: place.name });
  try {
    const kept = await fetchPackage(store, reader, record, { vouched, signal, onProgress: task.progress });
    await keepSealed(store, kept, seal, { place: place.name, text, signature, verify: policy.verify });
    task.finished('done');
    return kept;
  } catch (error) {
    task.finished('failed');
    throw error;
  }
}
