import { join } from 'node:path';
import { type ContainerEntry, containerTitle } from '../binhost/container-entry.ts';
import type { IndexEntry } from '../binhost/index-part.ts';
import type { Binhost } from '../binhost/open-binhost.ts';
import { readContainer } from '../binhost/read-container.ts';
import { readRecordOf } from '../binhost/record-reading.ts';
import { selectContainers } from '../binhost/select-containers.ts';
import type { Recipe } from '../definition/recipe.ts';
import { didYouMean } from '../document/closest-name.ts';
import { listDirectory } from '../document/list-directory.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type Hash, hashMatches } from '../model/package-hash.ts';
import type { PackageRecord } from '../model/record.ts';
import type { Verdict } from '../signing/trust.ts';
import { listRecords } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import { fingerprintOf } from './binhost-entries.ts';
import type { SharingOptions } from './open-cache.ts';
import { configuredRecipes, readRecipes } from './read-recipes.ts';
import { type KnownBuild, recipeFacts, type ShownRecipe } from './recipe-facts.ts';
import { withBinhosts } from './search-run.ts';

/** Who signed something, and whether that counts here. */
export interface ShownSignature {
  /** `SHA256:…`, as ssh-keygen shows a key. */
  readonly fingerprint: string;
  /** As allowed_signers names whoever it is; undefined for a stranger. */
  readonly principal: string | undefined;
  readonly state: 'trusted' | 'untrusted' | 'damaged' | 'missing';
  /** One clause: why it does not count. */
  readonly reason: string | undefined;
}

export interface ShownLayer {
  readonly output: string;
  readonly diffId: string;
  /** Bytes, uncompressed. */
  readonly size: number;
}

export interface ShownPackage {
  readonly kind: 'package';
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  readonly hash: Hash;
  /** Undefined: in the store of this machine. */
  readonly place: string | undefined;
  /** Bytes that fetching it moves; at a place. */
  readonly size: number | undefined;
  readonly signature: ShownSignature | undefined;
  readonly layers: readonly ShownLayer[];
  readonly builder: string | undefined;
  readonly finishedAt: string | undefined;
}

export interface ShownContainer {
  readonly kind: 'container';
  readonly title: string;
  readonly version: string;
  readonly platform: string;
  readonly place: string;
  readonly publishedAt: string;
  readonly signature: ShownSignature;
  readonly images: readonly {
    readonly type: 'oci' | 'aci';
    readonly digest: string;
    readonly tags: readonly string[];
    readonly path: string | undefined;
  }[];
  readonly packages: readonly { readonly hash: Hash; readonly name: string; readonly version: string }[];
}

export interface Shown {
  readonly recipes: readonly ShownRecipe[];
  readonly packages: readonly ShownPackage[];
  readonly containers: readonly ShownContainer[];
}

/** A name with very many builds is shown by its first ones: each costs two requests. */
const MOST_READ = 200;

/** All that is known of a name or a HASH: recipes of the configured repositories, builds here and at the configured places. */
export async function show(options: SharingOptions, what: string): Promise<Shown> {
  return withBinhosts(
    options,
    async ({ store, binhosts }) => {
      const { signal } = options.context;
      const places = await configuredRecipes(options);
      const names = new Set<string>(places.map(({ name }) => name));
      const found = await readRecipes(
        places.filter(({ name }) => isCalled(what, name)),
        options,
      );
      const known: KnownBuild[] = [];
      const local = await localPackages(store, what, names, known);
      const packages: ShownPackage[] = [...local];
      const containers: ShownContainer[] = [];
      for (const binhost of binhosts) {
        const { content } = binhost.index;
        for (const { name, version, platform } of content.packages) {
          names.add(name);
          known.push({ name, version, platform, place: binhost.name });
        }
        for (const entry of content.containers) names.add(containerTitle(entry));
        const entries = content.packages.filter((entry) => means(what, entry)).slice(0, MOST_READ);
        for (const entry of entries) packages.push(await packageAt(binhost, entry, signal));
        for (const entry of selectContainers(content.containers, what).slice(0, MOST_READ))
          containers.push(await containerAt(binhost, entry, signal));
      }
      const recipes: ShownRecipe[] = [];
      for (const one of found.filter(({ recipe }) => hasVersion(what, recipe))) {
        recipes.push(recipeFacts(one, known, await patchFiles(one.recipe.directory)));
      }
      if (recipes.length + packages.length + containers.length === 0) throw notFound(what, names, binhosts);
      return { recipes, packages, containers };
    },
    { mayLackPlaces: true },
  );
}

function means(what: string, { hash, name, version }: Pick<IndexEntry, 'hash' | 'name' | 'version'>): boolean {
  const short = name.slice(name.indexOf('/') + 1);
  return hashMatches(hash, what) || [name, short].some((known) => what === known || what === `${known}-${version}`);
}

/** A recipe by its name, with a version or without, or by its name without the category. */
function isCalled(what: string, name: string): boolean {
  const short = name.slice(name.indexOf('/') + 1);
  return [name, short].some((known) => what === known || what.startsWith(`${known}-`));
}

function hasVersion(what: string, { name, versions }: Recipe): boolean {
  const short = name.slice(name.indexOf('/') + 1);
  return [name, short].some((known) => what === known || versions.some((version) => what === `${known}-${version}`));
}

async function patchFiles(directory: string): Promise<readonly string[]> {
  const entries = (await listDirectory(join(directory, 'patches'), undefined)) ?? [];
  return entries
    .map(({ name }) => name)
    .filter((name) => name.endsWith('.patch'))
    .sort();
}

async function localPackages(
  store: Store,
  what: string,
  names: Set<string>,
  known: KnownBuild[],
): Promise<readonly ShownPackage[]> {
  const records = await listRecords(store);
  for (const { kind, name, version, platform } of records) {
    if (kind !== 'build') continue;
    names.add(name);
    known.push({ name, version, platform, place: undefined });
  }
  return records.filter((record) => record.kind === 'build' && means(what, record)).map(localPackage);
}

function localPackage(record: PackageRecord): ShownPackage {
  const { name, version, platform, hash, builder, finishedAt } = record;
  return {
    ...{ kind: 'package', name, version, platform, hash, builder, finishedAt },
    ...{ place: undefined, size: undefined, signature: undefined },
    layers: layersOf(record.outputs),
  };
}

function layersOf(outputs: Readonly<Record<string, { readonly diffId: string; readonly size: number }>>): ShownLayer[] {
  return Object.entries(outputs).map(([output, { diffId, size }]) => ({ output, diffId, size }));
}

async function packageAt(binhost: Binhost, entry: IndexEntry, signal: AbortSignal): Promise<ShownPackage> {
  const reading = await readRecordOf(binhost, entry, signal);
  const record = reading.kind === 'record' ? reading.record : undefined;
  const { name, version, platform, hash, size, key } = entry;
  return {
    ...{ kind: 'package', name, version, platform, hash, place: binhost.name, size },
    signature:
      reading.kind === 'record'
        ? shownSignature(key, reading.verdict)
        : lacking(key, reading.kind, reading.kind === 'damaged' ? reading.reason : 'its record is not there'),
    layers: layersOf(record?.outputs ?? {}),
    builder: record?.builder,
    finishedAt: record?.finishedAt,
  };
}

function shownSignature(key: string, verdict: Verdict | undefined): ShownSignature {
  if (verdict === undefined) return lacking(key, 'missing', 'it is not signed');
  if (verdict.kind === 'invalid') return lacking(key, 'damaged', verdict.reason);
  const fingerprint = fingerprintOf(key);
  return verdict.kind === 'trusted'
    ? { fingerprint, principal: verdict.principal, state: 'trusted', reason: undefined }
    : { fingerprint, principal: undefined, state: 'untrusted', reason: verdict.reason };
}

function lacking(key: string, state: 'damaged' | 'missing', reason: string): ShownSignature {
  return { fingerprint: fingerprintOf(key), principal: undefined, state, reason };
}

async function containerAt(binhost: Binhost, entry: ContainerEntry, signal: AbortSignal): Promise<ShownContainer> {
  const source = { reader: binhost.reader, policy: { ...binhost.policy, verify: 'require' as const } };
  const reading = await readContainer(source, entry, signal);
  const document = reading.kind === 'document' ? reading.document : undefined;
  const oci = entry.images.map(({ digest, tags }) => ({
    type: 'oci' as const,
    digest: `sha256:${digest}`,
    tags,
    path: undefined,
  }));
  const aci =
    document?.aci.map(({ path, imageId }) => ({ type: 'aci' as const, digest: imageId, tags: [], path })) ?? [];
  return {
    ...{ kind: 'container', title: containerTitle(entry), version: entry.version, platform: entry.platform },
    ...{ place: binhost.name, publishedAt: entry.time },
    signature:
      reading.kind === 'document'
        ? shownSignature(entry.key, reading.verdict)
        : lacking(entry.key, reading.kind, reading.kind === 'damaged' ? reading.reason : 'its document is not there'),
    images: [...oci, ...aci],
    packages: document?.packages ?? [],
  };
}

function notFound(what: string, names: ReadonlySet<string>, binhosts: readonly Binhost[]): BuilditError {
  const places = ['here', ...binhosts.map(({ name }) => `'${name}'`)].join(', ');
  return new BuilditError(
    'file-missing',
    `Cannot show "${printable(what)}": expected a recipe, a package, a container or a HASH known at ${places}, found none`,
    { hint: didYouMean(what, names) ?? '`buildit search` finds parts of names' },
  );
}
