import { basename } from 'node:path';
import { BINHOST_FORMAT, type BinhostIdentity, ensureIdentity } from '../binhost/binhost-identity.ts';
import { IDENTITY_PATH } from '../binhost/binhost-paths.ts';
import { type CollectedPlace, collectPlace } from '../binhost/collect-place.ts';
import { commitEntries, readNewestIndex } from '../binhost/commit-entries.ts';
import { containerTitle } from '../binhost/container-entry.ts';
import { EMPTY_INDEX, type IndexContent } from '../binhost/index-part.ts';
import { type Pin, readPins, removePin, writePin } from '../binhost/pins.ts';
import { recordsOfHash } from '../binhost/place-listing.ts';
import type { PlaceReport } from '../binhost/place-report.ts';
import { settleViews } from '../binhost/publish-container.ts';
import { removeEntries } from '../binhost/remove-entries.ts';
import { selectContainers } from '../binhost/select-containers.ts';
import { canonicalText } from '../binhost/strict-fields.ts';
import { verifyPlace } from '../binhost/verify-place.ts';
import { didYouMean } from '../document/closest-name.ts';
import { BuilditError } from '../model/errors.ts';
import { isRepositoryName, printable } from '../model/names.ts';
import { hashAsUuid, hashMatches } from '../model/package-hash.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { findPublicKey } from '../signing/find-public-key.ts';
import { isPrincipal } from '../signing/is-principal.ts';
import { machineName } from '../signing/machine-key.ts';
import { keyId } from '../signing/public-key.ts';
import { signerLine } from '../signing/signer-line.ts';
import {
  commitOptions,
  type ManagedPlace,
  type PlaceRequest,
  requireIdentity,
  withManagedPlace,
} from './managed-place.ts';
import type { SharingOptions } from './open-cache.ts';

export interface InitOutcome {
  readonly place: string;
  readonly identity: BinhostIdentity;
  readonly generation: number;
}

const ALLOWED_SIGNERS = 'keys/allowed_signers';

/** Makes a binhost, or completes one: identity, a first generation, the page, and a copy of who signs. */
export async function initBinhost(
  options: SharingOptions,
  request: PlaceRequest,
  {
    name,
    url,
    principal,
  }: { readonly name?: string | undefined; readonly url?: string | undefined; readonly principal?: string | undefined },
): Promise<InitOutcome> {
  return withManagedPlace(options, request, async (place) => {
    const { writer } = place;
    const wanted = name ?? place.name ?? nameOfDirectory(request.directory);
    const identity = await identityWith(writer, wanted, { name, url });
    const commit = await commitOptions(options, place, identity);
    const generation = await commitEntries(writer, EMPTY_INDEX, commit);
    await addSignerLine(writer, commit.signer.publicKey, principal ?? (await ownerOfKey(options)));
    await settleViews(writer, commit);
    return { place: writer.shown, identity, generation };
  });
}

/** As `buildit key export` names the owner of a key: by its comment, else by this user and machine. */
async function ownerOfKey({ config }: SharingOptions): Promise<string> {
  const comment = (await findPublicKey(config.sign.key, { environment: process.env }))?.comment ?? '';
  return isPrincipal(comment) ? comment : machineName();
}

function nameOfDirectory(directory: string): string {
  const name = basename(directory).toLowerCase();
  if (isRepositoryName(name)) return name;
  throw new BuilditError(
    'usage',
    `Cannot call a binhost "${printable(name)}": expected a name of small letters, digits, ".", "_" and "-"`,
    { hint: 'buildit binhost init --name NAME' },
  );
}

/** The id of a place stays for ever; what it is called, and where the world reads it, may be said anew. */
async function identityWith(
  writer: RemoteWriter,
  wanted: string,
  { name, url }: { readonly name: string | undefined; readonly url: string | undefined },
): Promise<BinhostIdentity> {
  const known = await ensureIdentity(writer, wanted, { url });
  const changed = (name !== undefined && name !== known.name) || (url !== undefined && url !== known.url);
  if (!changed) return known;
  const address = url ?? known.url;
  const identity: BinhostIdentity = {
    ...{ format: BINHOST_FORMAT, id: known.id, name: name ?? known.name },
    ...(address === undefined ? {} : { url: address }),
  };
  await writer.replace(IDENTITY_PATH, Buffer.from(canonicalText(identity)));
  return identity;
}

async function addSignerLine(
  writer: RemoteWriter,
  publicKey: Parameters<typeof signerLine>[0]['publicKey'],
  principal: string,
): Promise<void> {
  const there = await writer.read(ALLOWED_SIGNERS, { maximumBytes: 2 ** 20 });
  const lines = typeof there === 'string' ? [] : there.bytes.toString('utf8').split('\n').filter(Boolean);
  const namespaces = ['buildit-package', 'buildit-index'];
  const validity = { validAfter: undefined, validBefore: undefined };
  const line = signerLine({ principals: [principal], publicKey, namespaces, comment: '', ...validity });
  const key = publicKey.blob.toString('base64');
  if (lines.some((known) => known.includes(key))) return;
  await writer.replace(ALLOWED_SIGNERS, Buffer.from(`${[...lines, line].join('\n')}\n`));
}

export interface PlaceContent {
  readonly place: string;
  readonly identity: BinhostIdentity;
  readonly generation: number;
  readonly content: IndexContent;
  readonly pins: readonly Pin[];
}

/** What the newest generation of a place names, and what is pinned there. */
export async function listBinhost(options: SharingOptions, request: PlaceRequest): Promise<PlaceContent> {
  return withManagedPlace(options, request, async (place) => {
    const identity = await requireIdentity(place);
    const { generation, content } = await newestIndex(place, identity);
    return { place: place.writer.shown, identity, generation, content, pins: await readPins(place.writer) };
  });
}

/** Reading alone needs no key to sign with. */
function newestIndex({ writer, policy }: ManagedPlace, identity: BinhostIdentity) {
  return readNewestIndex(writer, { identity, policy: { ...policy, principals: undefined } });
}

export async function verifyBinhost(
  options: SharingOptions,
  request: PlaceRequest,
  { deep }: { readonly deep: boolean },
): Promise<PlaceReport & { readonly place: string }> {
  return withManagedPlace(options, request, async ({ writer, policy }) => {
    const task = startTask(options, `verifying ${writer.shown}`);
    const { signal } = options.context;
    return task(async (onProgress) => ({
      place: writer.shown,
      ...(await verifyPlace(writer, { policy, deep, signal, onProgress })),
    }));
  });
}

export async function collectBinhost(
  options: SharingOptions,
  request: PlaceRequest,
  { minimumAgeMs, isDryRun }: { readonly minimumAgeMs: number; readonly isDryRun: boolean },
): Promise<CollectedPlace & { readonly place: string }> {
  return withManagedPlace(options, request, async (place) => {
    const { writer } = place;
    const commit = await commitOptions(options, place, await requireIdentity(place));
    const task = startTask(options, `freeing ${writer.shown}`);
    return task(async (onProgress) => {
      const collected = await collectPlace(writer, { commit, minimumAgeMs, isDryRun, onProgress });
      if (!isDryRun) await settleViews(writer, commit);
      return { place: writer.shown, ...collected };
    });
  });
}

function startTask({ context: { emit } }: SharingOptions, label: string) {
  return async <Result>(work: (onProgress: (done: number, total: number) => void) => Promise<Result>) => {
    emit({ kind: 'task-started', task: label, label });
    try {
      const result = await work((done, total) => emit({ kind: 'task-progress', task: label, done, total }));
      emit({ kind: 'task-finished', task: label, outcome: 'done' });
      return result;
    } catch (error) {
      emit({ kind: 'task-finished', task: label, outcome: 'failed' });
      throw error;
    }
  };
}

/** Keeps packages of a HASH, or containers of a title, from `binhost rm` and garbage collection; or lets go of them. */
export async function pinAtBinhost(
  options: SharingOptions,
  request: PlaceRequest,
  { what, isRemoval }: { readonly what: string; readonly isRemoval: boolean },
): Promise<readonly Pin[]> {
  return withManagedPlace(options, request, async (place) => {
    const identity = await requireIdentity(place);
    const { writer } = place;
    const { content } = await newestIndex(place, identity);
    const pins = await readPins(writer);
    const chosen = isRemoval ? pinsNamed(pins, content, what) : pinsFor(content, what);
    if (chosen.length === 0) throw nothingNamed(writer, what, isRemoval ? 'a pin' : 'a package or container', content);
    for (const pin of chosen) await (isRemoval ? removePin(writer, pin.digest) : writePin(writer, pin));
    return chosen;
  });
}

function pinsFor(content: IndexContent, what: string): readonly Pin[] {
  const { packages, containers } = named(content, what);
  return [
    ...new Map(
      [
        ...packages.map(
          ({ hash, name, version }): Pin => ({ digest: hash, kind: 'package', title: `${name}-${version}` }),
        ),
        ...containers.map((entry): Pin => {
          const title = `${containerTitle(entry)}-${entry.version}`;
          return { digest: entry.document.digest, kind: 'container', title };
        }),
      ].map((pin) => [pin.digest, pin]),
    ).values(),
  ];
}

/** By HASH, by digest, or by the title that was pinned; whatever the index says now. */
function pinsNamed(pins: readonly Pin[], content: IndexContent, what: string): readonly Pin[] {
  const digests = new Set(pinsFor(content, what).map(({ digest }) => digest));
  return pins.filter(
    ({ digest, title }) =>
      digests.has(digest) || hashMatches(digest, what) || title === what || title.startsWith(`${what}-`),
  );
}

function named(content: IndexContent, what: string) {
  return {
    packages: content.packages.filter(({ hash }) => hashMatches(hash, what)),
    containers: selectContainers(content.containers, what),
  };
}

export interface RemovedEntries {
  readonly place: string;
  readonly generation: number;
  readonly packages: readonly { readonly hash: string; readonly name: string; readonly version: string }[];
  readonly containers: readonly { readonly title: string; readonly version: string; readonly platform: string }[];
}

/** Takes a HASH or containers out of a place's index. What others published goes only by `isForced`. */
export async function removeFromBinhost(
  options: SharingOptions,
  request: PlaceRequest,
  { what, isForced }: { readonly what: string; readonly isForced: boolean },
): Promise<RemovedEntries> {
  return withManagedPlace(options, request, async (place) => {
    const { writer } = place;
    const commit = await commitOptions(options, place, await requireIdentity(place));
    const { content } = await readNewestIndex(writer, commit);
    const { packages, containers } = named(content, what);
    const records = await recordsNamed(writer, what, packages);
    if (packages.length + containers.length + records.length === 0)
      throw nothingNamed(writer, what, 'a package or container', content);
    const own = keyId(commit.signer.publicKey);
    const others = new Set([...packages, ...containers, ...records].map(({ key }) => key).filter((key) => key !== own));
    if (others.size > 0 && !isForced) throw ofOthers(writer, what, [...others]);
    refusePinned(writer, await readPins(writer), [
      ...records.map(({ hash }) => hash),
      ...containers.map(({ document }) => document.digest),
    ]);
    const generation = await removeEntries(writer, { packages, containers, records }, commit);
    return {
      ...{ place: writer.shown, generation },
      packages: packages.map(({ hash, name, version }) => ({ hash, name, version })),
      containers: containers.map((entry) => ({
        ...{ title: containerTitle(entry), version: entry.version, platform: entry.platform },
      })),
    };
  });
}

/** Files of an earlier removal that was cut count too. */
async function recordsNamed(writer: RemoteWriter, what: string, packages: IndexContent['packages']) {
  const digits = what.toLowerCase().replaceAll('-', '');
  const full = /^[0-9a-f]{64}$/.test(digits) ? [digits] : [];
  const hashes = new Set([...packages.map(({ hash }) => hash), ...full]);
  return (await Promise.all([...hashes].map((hash) => recordsOfHash(writer, hash)))).flat();
}

function refusePinned(writer: RemoteWriter, pins: readonly Pin[], digests: readonly string[]): void {
  const pinned = pins.find(({ digest }) => digests.includes(digest));
  if (pinned === undefined) return;
  throw new BuilditError(
    'busy',
    `Cannot remove "${printable(pinned.title)}" from ${writer.shown}: expected something that is not pinned, found a pin`,
    { hint: `buildit binhost pin --remove ${hashAsUuid(pinned.digest)} lets go of it` },
  );
}

function ofOthers(writer: RemoteWriter, what: string, keys: readonly string[]): BuilditError {
  return new BuilditError(
    'authentication-failed',
    `Cannot remove "${printable(what)}" from ${writer.shown}: expected what this key published, found entries of others`,
    {
      details: keys.map((key) => `signed by ${fingerprintOf(key)}`),
      hint: '--force removes them too',
    },
  );
}

/** As ssh-keygen shows the key of an id. */
export function fingerprintOf(id: string): string {
  return `SHA256:${Buffer.from(id, 'hex').toString('base64').replace(/=+$/, '')}`;
}

function nothingNamed(writer: RemoteWriter, what: string, expected: string, content: IndexContent): BuilditError {
  return new BuilditError(
    'file-missing',
    `Cannot find "${printable(what)}" at ${writer.shown}: expected the HASH or title of ${expected}, found none`,
    { hint: didYouMean(what, content.containers.map(containerTitle)) ?? '`buildit binhost ls` shows what is there' },
  );
}
