import type { Definitions } from '../model/container.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import {
  type ContainerLock,
  type DebianSet,
  type DebianSourcePin,
  type DebianSourceSet,
  debianSourceKey,
  LOCK_FORMAT,
  type PatchPin,
  type RepositoryLock,
  sourcePinAt,
} from '../model/lock.ts';
import { refuseUnknownBinary } from '../model/refuse-unknown-binary.ts';
import { compareDebianVersions } from '../model/version-order.ts';
import { type ContainerWants, containerWants, type DebianWant, wantedTexts } from './wanted.ts';

/** What settling a lock needs from the world: resolving in an archive, pinning a patch. */
export interface LockServices {
  /** Resolves for the image, never moving a member of `fixed`. */
  resolveImage(request: { readonly wants: readonly DebianWant[]; readonly fixed: DebianSet }): Promise<DebianSet>;
  /** Resolves additions for roots, with what source packages are built with, never moving a member of `fixed`. */
  resolveRoots(request: RootsRequest): Promise<ResolvedRoots>;
  pinPatch(url: string, expected: Digest | undefined, strip: number): Promise<PatchPin>;
}

export interface RootsRequest {
  readonly wants: readonly DebianWant[];
  /** Source packages to find, at the version of the pin where there is one. */
  readonly sources: readonly { readonly want: DebianWant; readonly kept: DebianSourcePin | undefined }[];
  readonly fixed: DebianSet;
}

export interface ResolvedRoots {
  readonly set: DebianSet;
  /** In the order asked for. */
  readonly sources: readonly DebianSourcePin[];
}

export interface SettleOptions {
  readonly existing: ContainerLock | undefined;
  readonly repositoryLocks: Readonly<Record<string, { readonly lock: RepositoryLock; readonly digest: Digest }>>;
  /** `use` keeps every pin that is still wanted; `refresh` moves all, or the named ones. */
  readonly mode:
    | { readonly kind: 'use' }
    | { readonly kind: 'locked' }
    | { readonly kind: 'refresh'; readonly names: readonly string[] };
  readonly services: LockServices;
}

/** Brings a container's lock up to date with what is wanted. `changed` tells whether it differs from the existing one. */
export async function settleContainerLock(
  definitions: Definitions,
  options: SettleOptions,
): Promise<{ lock: ContainerLock; changed: boolean }> {
  const { existing, repositoryLocks, mode, services } = options;
  const locks = Object.fromEntries(Object.entries(repositoryLocks).map(([name, { lock }]) => [name, lock]));
  const wants = containerWants(definitions, locks);
  if (existing !== undefined && mode.kind !== 'refresh' && isCurrent(existing, wants, definitions, options)) {
    return { lock: existing, changed: false };
  }
  if (mode.kind === 'locked') throw outdatedError(definitions, existing, wants);

  const kept = keptPins(existing, options);
  const roots = Object.assign({}, ...Object.values(locks).map(({ roots }) => roots)) as DebianSet;
  const additions = await resolveAdditions(services, wants, { ...kept.additions, ...roots }, kept.sources);
  refuseUnknownBinaries(definitions, locks, sourcePins(wants.sources, additions.sources).sources);
  const image = await resolveImage(services, wants.image, kept.debian);
  const patches: Record<string, PatchPin> = {};
  for (const { url, sha256, strip } of wants.patches) {
    const pinned = kept.patches[url];
    patches[url] =
      pinned !== undefined && (sha256 === undefined || pinned.sha256 === sha256)
        ? pinned
        : await services.pinPatch(url, sha256, strip);
  }
  const lock: ContainerLock = {
    format: LOCK_FORMAT,
    kind: 'container',
    repositories: repositoryDigests(definitions, options),
    wanted: wantedTexts(wants),
    debian: image,
    additions: Object.fromEntries(Object.entries(additions.set).filter(([name]) => !Object.hasOwn(roots, name))),
    overrides: mode.kind === 'refresh' ? {} : usedOverrides(existing, { ...roots, ...image, ...additions.set }),
    ...sourcePins(wants.sources, additions.sources),
    patches,
    versions: chosenVersions(definitions),
    layers: existing?.layers ?? [],
    ...(existing?.discovered === undefined ? {} : { discovered: existing.discovered }),
  };
  return { lock, changed: true };
}

function isCurrent(
  existing: ContainerLock,
  wants: ContainerWants,
  definitions: Definitions,
  options: SettleOptions,
): boolean {
  const digests = repositoryDigests(definitions, options);
  return (
    sameJson(existing.wanted, wantedTexts(wants)) &&
    sameJson(existing.versions, chosenVersions(definitions)) &&
    sameJson(Object.entries(existing.repositories).sort(), Object.entries(digests).sort())
  );
}

/** What stays pinned: everything, less the named packages in a refresh, and less what is older than in the roots. */
function keptPins(
  existing: ContainerLock | undefined,
  { mode, repositoryLocks }: SettleOptions,
): Pick<ContainerLock, 'debian' | 'additions' | 'patches'> & { readonly sources: DebianSourceSet } {
  const refreshed = mode.kind === 'refresh' ? mode.names : [];
  if (existing === undefined || (mode.kind === 'refresh' && refreshed.length === 0))
    return { debian: {}, additions: {}, sources: {}, patches: {} };
  const named = (name: string) => refreshed.includes(name) || refreshed.includes(`debian/${name}`);
  const outdated = (name: string, version: string) =>
    Object.values(repositoryLocks).some(({ lock }) => {
      const pin = Object.hasOwn(lock.roots, name) ? lock.roots[name] : undefined;
      return pin !== undefined && compareDebianVersions(pin.version, version) > 0;
    });
  const without = (set: DebianSet) =>
    Object.fromEntries(Object.entries(set).filter(([name, pin]) => !named(name) && !outdated(name, pin.version)));
  return {
    debian: without(existing.debian),
    additions: without(existing.additions),
    sources: Object.fromEntries(Object.entries(existing.sources ?? {}).filter(([, { name }]) => !named(name))),
    patches: Object.fromEntries(Object.entries(existing.patches).filter(([url]) => !refreshed.includes(url))),
  };
}

/** Resolves with what is pinned held fast; where that cannot be satisfied, once more without. */
async function resolveImage(
  services: LockServices,
  wants: readonly DebianWant[],
  fixed: DebianSet,
): Promise<DebianSet> {
  if (wants.length === 0) return {};
  try {
    return await services.resolveImage({ wants, fixed });
  } catch (error) {
    const mayMove = Object.keys(fixed).length > 0 && error instanceof BuilditError;
    if (!mayMove || error.code !== 'dependency-unsatisfied') throw error;
    return await services.resolveImage({ wants, fixed: {} });
  }
}

async function resolveAdditions(
  services: LockServices,
  { additions, sources }: ContainerWants,
  fixed: DebianSet,
  kept: DebianSourceSet,
): Promise<ResolvedRoots> {
  if (additions.length === 0 && sources.length === 0) return { set: {}, sources: [] };
  return await services.resolveRoots({
    wants: additions.map((name) => ({ name })),
    sources: sources.map((want) => ({ want, kept: sourcePinAt(kept, debianSourceKey(want)) })),
    fixed,
  });
}

/** Before the image asks the archive for packages that no source makes, which would only be told as unknown. */
function refuseUnknownBinaries(
  { packages }: Definitions,
  locks: Readonly<Record<string, RepositoryLock>>,
  container: DebianSourceSet | undefined,
): void {
  for (const definition of packages) {
    const { debianSource, repository } = definition;
    if (debianSource === undefined) continue;
    const key = debianSourceKey(debianSource);
    const pin = sourcePinAt(locks[repository]?.sources, key) ?? sourcePinAt(container, key);
    if (pin !== undefined) refuseUnknownBinary(definition, pin);
  }
}

/** Nothing at all where there are none, so that locks without them stay as they were. */
export function sourcePins(
  wants: readonly DebianWant[],
  pins: readonly DebianSourcePin[],
): { readonly sources?: DebianSourceSet } {
  if (wants.length === 0) return {};
  return { sources: Object.fromEntries(wants.map((want, index) => [debianSourceKey(want), pins[index]!])) };
}

function repositoryDigests(
  definitions: Definitions,
  { repositoryLocks }: SettleOptions,
): Record<string, { lock: Digest }> {
  const used = new Set(definitions.packages.map(({ repository }) => repository));
  const entries = Object.entries(repositoryLocks).filter(([name]) => used.has(name));
  return Object.fromEntries(entries.map(([name, { digest }]) => [name, { lock: digest }]));
}

function chosenVersions(definitions: Definitions): Record<string, string> {
  const entries = definitions.packages
    .filter(({ origin }) => origin.kind === 'repository')
    .map(({ name, version }) => [name, version] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function usedOverrides(existing: ContainerLock | undefined, pins: DebianSet): DebianSet {
  const current = new Set(Object.values(pins).map(({ name, version }) => `${name}=${version}`));
  return Object.fromEntries(Object.entries(existing?.overrides ?? {}).filter(([key]) => current.has(key)));
}

function outdatedError(
  definitions: Definitions,
  existing: ContainerLock | undefined,
  wants: ContainerWants,
): BuilditError {
  const before = new Set(existing?.wanted ?? []);
  const after = wantedTexts(wants);
  const details = [
    ...after.filter((text) => !before.has(text)).map((text) => `+ ${text}`),
    ...[...before].filter((text) => !after.includes(text)).map((text) => `- ${text}`),
  ];
  const state = existing === undefined ? 'there is no buildit.lock' : 'buildit.lock is not up to date';
  return new BuilditError('lock-outdated', `Cannot build "${definitions.container.name}" with --locked: ${state}`, {
    details: details.slice(0, 20),
    hint: `buildit lock ${definitions.container.directory} brings it up to date`,
  });
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
