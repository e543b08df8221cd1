import type { IndexEntry } from '../binhost/index-part.ts';
import type { Availability } from '../cache/package-cache.ts';
import type { JsonValue } from '../model/canonical-json.ts';
import { BuilditError } from '../model/errors.ts';
import { type JsonDifference, jsonDifferences } from '../model/json-difference.ts';
import { printable } from '../model/names.ts';
import { type Hash, hashMatches } from '../model/package-hash.ts';
import type { Plan } from '../model/plan.ts';
import { platformText } from '../model/platform.ts';
import { readBlob } from '../store/read-blob.ts';
import { recordHashes } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { BuildOptions } from './contract.ts';
import { findStep } from './find-step.ts';
import { keepInputs } from './keep-inputs.ts';
import { openSharing, type Sharing, type SharingOptions } from './open-cache.ts';
import { openRunStore, prepareRun } from './prepare-run.ts';

/** Above the inputs of any package: a root of a thousand members is 70 KiB. */
const MOST_INPUT_BYTES = 16 * 2 ** 20;
const MOST_CANDIDATES = 8;

/** Where a package comes from, or why it must be built, and what is nearest to it where it is not. */
export interface PackageExplanation {
  readonly name: string;
  readonly version: string;
  readonly hash: Hash;
  readonly availability: Availability;
  readonly nearest: readonly NearestPackage[];
  /** The same version is there, for these platforms. */
  readonly otherPlatforms: readonly { readonly place: string; readonly platforms: readonly string[] }[];
}

export interface NearestPackage {
  readonly place: string;
  readonly hash: Hash;
  readonly version: string;
  /** Undefined where the place does not say what the other HASH is made of. */
  readonly differences: readonly JsonDifference[] | undefined;
}

/** Explains a package of a container; undefined for a Debian package, which is converted and never looked for. */
export async function explainPackage(
  options: BuildOptions,
  typed: string,
): Promise<{ readonly explanation: PackageExplanation | undefined; readonly plan: Plan }> {
  const run = await prepareRun(options);
  const { store, plan, sharing } = run;
  try {
    const isBuilt = plan.steps.some(({ name }) => name === typed);
    if (!isBuilt) return { explanation: undefined, plan };
    const step = findStep(plan, typed);
    const { hash, name, version } = step;
    const availability = await sharing.cache.peek(hash);
    if (availability.kind === 'hit') {
      return { explanation: { name, version, hash, availability, nearest: [], otherPlatforms: [] }, plan };
    }
    await keepInputs(store, plan, hash);
    const platform = platformText(plan.container.platform);
    const places = await sharing.contents();
    const nearest: NearestPackage[] = [];
    const otherPlatforms: { place: string; platforms: readonly string[] }[] = [];
    for (const { place, packages } of places) {
      const known = packages.filter((entry) => entry.name === name && entry.hash !== hash);
      const found = await nearestOf(
        store,
        sharing,
        step.inputs,
        known.filter((entry) => entry.platform === platform),
        version,
      );
      if (found !== undefined) nearest.push({ place, ...found });
      const others = known.filter((entry) => entry.platform !== platform && entry.version === version);
      if (others.length > 0)
        otherPlatforms.push({ place, platforms: [...new Set(others.map((entry) => entry.platform))] });
    }
    return { explanation: { name, version, hash, availability, nearest, otherPlatforms }, plan };
  } finally {
    await sharing.close();
  }
}

/** Of what a place has of this package, that which differs in the fewest inputs; its own version before others. */
async function nearestOf(
  store: Store,
  sharing: Sharing,
  inputs: JsonValue,
  known: readonly IndexEntry[],
  version: string,
): Promise<Omit<NearestPackage, 'place'> | undefined> {
  const unique = [...new Map(known.map((entry) => [entry.hash, entry])).values()];
  const candidates = unique.sort((a, b) => Number(b.version === version) - Number(a.version === version));
  let best: Omit<NearestPackage, 'place'> | undefined;
  for (const entry of candidates.slice(0, MOST_CANDIDATES)) {
    const other = await inputsOf(store, sharing, entry.hash);
    const differences = other === undefined ? undefined : jsonDifferences(other, inputs);
    const isNearer = best === undefined || weight(differences) < weight(best.differences);
    if (isNearer) best = { hash: entry.hash, version: entry.version, differences };
  }
  return best;
}

function weight(differences: readonly JsonDifference[] | undefined): number {
  return differences?.length ?? Number.POSITIVE_INFINITY;
}

/** What a HASH is made of: the blob whose digest it is, from here or from a binhost. */
async function inputsOf(store: Store, sharing: Sharing, hash: Hash): Promise<JsonValue | undefined> {
  const read = () => readBlob(store, hash, { maxBytes: MOST_INPUT_BYTES }).catch(() => undefined);
  const bytes = (await read()) ?? ((await sharing.takeBlob(hash, MOST_INPUT_BYTES)) ? await read() : undefined);
  // The digest was verified: whoever made the HASH wrote this JSON.
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString('utf8')) as JsonValue);
}

export interface HashComparison {
  readonly left: Hash;
  readonly right: Hash;
  readonly differences: readonly JsonDifference[];
}

/** Compares two HASHes, typed in full or by their beginnings, input by input. */
export async function compareHashes(
  options: SharingOptions & Pick<BuildOptions, 'config' | 'context' | 'witness'>,
  typed: readonly [string, string],
): Promise<HashComparison> {
  const store = await openRunStore(options);
  const sharing = await openSharing(store, options);
  try {
    const known = new Set(recordHashes(store));
    for (const { packages } of await sharing.contents()) for (const { hash } of packages) known.add(hash);
    const [left, right] = typed.map((text) => oneHash(text, known)) as [Hash, Hash];
    const [before, after] = await Promise.all([left, right].map((hash) => inputsOf(store, sharing, hash)));
    for (const [hash, inputs] of [[left, before] as const, [right, after] as const]) {
      if (inputs === undefined) throw unknownInputs(hash);
    }
    return { left, right, differences: jsonDifferences(before, after) };
  } finally {
    await sharing.close();
  }
}

function oneHash(typed: string, known: ReadonlySet<Hash>): Hash {
  const found = [...known].filter((hash) => hashMatches(hash, typed));
  if (found.length === 1) return found[0]!;
  throw new BuilditError(
    'usage',
    `Cannot find the HASH "${printable(typed)}": expected one in the store or at a binhost, found ${found.length}`,
    { hint: found.length > 1 ? 'type more of it' : '`buildit hash DIR` prints those of a container' },
  );
}

function unknownInputs(hash: Hash): BuilditError {
  return new BuilditError(
    'file-missing',
    `Cannot compare ${hash}: expected what it is made of in the store or at a binhost, found it in neither`,
    { hint: 'it is kept when a package is built or published' },
  );
}
