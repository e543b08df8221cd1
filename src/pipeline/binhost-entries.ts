import { readNewestIndex } from '../binhost/commit-entries.ts';
import { containerTitle } from '../binhost/container-entry.ts';
import type { IndexContent } from '../binhost/index-part.ts';
import { type Pin, readPins, removePin, writePin } from '../binhost/pins.ts';
import { recordsOfHash } from '../binhost/place-listing.ts';
import { removeEntries } from '../binhost/remove-entries.ts';
import { selectContainers } from '../binhost/select-containers.ts';
import { didYouMean } from '../document/closest-name.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { hashAsUuid, hashMatches } from '../model/package-hash.ts';
import { withoutTrailing } from '../model/without-trailing.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { keyId } from '../signing/public-key.ts';
import { newestIndex } from './binhost-run.ts';
import { commitOptions, type PlaceRequest, requireIdentity, withManagedPlace } from './managed-place.ts';
import type { SharingOptions } from './open-cache.ts';

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
  return `SHA256:${withoutTrailing(Buffer.from(id, 'hex').toString('base64'), '=')}`;
}

function nothingNamed(writer: RemoteWriter, what: string, expected: string, content: IndexContent): BuilditError {
  return new BuilditError(
    'file-missing',
    `Cannot find "${printable(what)}" at ${writer.shown}: expected the HASH or title of ${expected}, found none`,
    { hint: didYouMean(what, content.containers.map(containerTitle)) ?? '`buildit binhost ls` shows what is there' },
  );
}
