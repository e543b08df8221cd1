import type { VanishedPackages } from '../debian/fetch-debs.ts';
import { writeLock } from '../lock/lock-file.ts';
import { containerWants } from '../lock/wanted.ts';
import { BuilditError } from '../model/errors.ts';
import type { ContainerLock, DebianPin, DebianSet } from '../model/lock.ts';
import type { Run } from './prepare-run.ts';
import { archives } from './settle-locks.ts';

/**
 * Chooses present versions of packages that vanished from every place and writes them into the container's lock: its own
 * pins are moved, those of a repository are overridden. Nothing else moves. Throws where a vanished version is the very
 * one that container.yaml names.
 */
export async function replaceVanished(run: Run, error: VanishedPackages): Promise<ContainerLock> {
  refuseExactVersions(run, error);
  const { lock, repositoryLocks, definitions } = run;
  const roots: DebianSet = Object.assign({}, ...Object.values(repositoryLocks).map(({ lock: { roots } }) => roots));
  const forImage = await presentVersions(run, 'image', lock.debian, error);
  const forRoots = await presentVersions(
    run,
    'root',
    { ...lock.additions, ...roots, ...overriding(lock, roots) },
    error,
  );
  for (const pin of error.packages) tellReplacement(run, pin, holds(lock.debian, pin) ? forImage : forRoots, error);
  const known = { ...lock.additions, ...roots };
  const added = Object.entries(forRoots).filter(([name]) => !Object.hasOwn(known, name));
  const overrides = error.packages.flatMap(({ name }) => overrideOf(known[name], forRoots[name]));
  const replaced: ContainerLock = {
    ...lock,
    debian: { ...lock.debian, ...forImage },
    additions: { ...lock.additions, ...Object.fromEntries(added) },
    overrides: { ...lock.overrides, ...Object.fromEntries(overrides) },
  };
  await writeLock(definitions.container.directory, replaced);
  return replaced;
}

/** Another version is no answer to somebody who asked for exactly this one. */
function refuseExactVersions({ definitions, repositoryLocks, lock }: Run, error: VanishedPackages): void {
  const locks = Object.fromEntries(Object.entries(repositoryLocks).map(([name, found]) => [name, found.lock]));
  const exact = containerWants(definitions, locks).image.find(({ name, version }) =>
    error.packages.some((pin) => pin.name === name && pin.version === version && holds(lock.debian, pin)),
  );
  if (exact === undefined) return;
  const request = definitions.debianRequested.find(({ name }) => name === exact.name);
  throw new BuilditError('unreachable', error.message, {
    details: error.details,
    position: request?.position,
    hint: `container.yaml asks for exactly this version: name a present one, or a mirror that still has it as debian.mirror`,
    cause: error,
  });
}

/** Resolves the vanished names of a set again, with every other pin held fast. */
async function presentVersions(
  { definitions, options, store }: Run,
  scope: 'image' | 'root',
  set: DebianSet,
  { packages }: VanishedPackages,
): Promise<DebianSet> {
  const wants = packages.filter((pin) => holds(set, pin)).map(({ name }) => ({ name }));
  if (wants.length === 0) return {};
  const isVanished = new Set(packages.map(({ name }) => name));
  const fixed = Object.fromEntries(Object.entries(set).filter(([name]) => !isVanished.has(name)));
  const { architecture } = definitions.container.platform;
  const archive = await archives(definitions.repositories[0], architecture, options, store)(scope);
  return archive.resolve({ wants, fixed, essential: false });
}

function tellReplacement({ options }: Run, pin: DebianPin, present: DebianSet, { isCertain }: VanishedPackages): void {
  const next = present[pin.name];
  const places = isCertain ? 'every archive' : 'every mirror, and the snapshot service cannot be asked';
  options.context.emit({
    kind: 'warning',
    text: `${pin.name} ${pin.version} has vanished from ${places}${next === undefined ? '' : `: taking ${next.version}`}`,
    hint: 'the new pin is in buildit.lock; packages built with the old one have another HASH now',
  });
}

function overriding(lock: ContainerLock, roots: DebianSet): DebianSet {
  const pins = Object.values(roots).flatMap((pin) => lock.overrides[`${pin.name}=${pin.version}`] ?? []);
  return Object.fromEntries(pins.map((pin) => [pin.name, pin]));
}

function overrideOf(old: DebianPin | undefined, next: DebianPin | undefined): [string, DebianPin][] {
  return old === undefined || next === undefined || old.sha256 === next.sha256
    ? []
    : [[`${old.name}=${old.version}`, next]];
}

function holds(set: DebianSet, pin: DebianPin): boolean {
  return Object.hasOwn(set, pin.name) && set[pin.name]!.sha256 === pin.sha256;
}
