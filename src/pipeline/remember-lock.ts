import { join } from 'node:path';
import { findConverted } from '../debian/convert-deb.ts';
import { LOCK_FILE } from '../lock/lock-file.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { ContainerLock, DebianSet, DebianSourceSet, RepositoryLock } from '../model/lock.ts';
import type { Plan } from '../model/plan.ts';
import type { VendorLock } from '../model/vendor-lock.ts';
import { type RootUse, rememberRoot } from '../store/remembered-roots.ts';
import type { Store } from '../store/store.ts';
import type { Run } from './prepare-run.ts';
import { closureSteps, rootDebian } from './realise-run.ts';
import { testDependencies } from './test-run.ts';

/**
 * Remembers what the lock of a container refers to, so that garbage collection keeps it for as long as the lock is there:
 * everything that building all of it from source without a network takes.
 */
export async function rememberContainerLock(run: Run): Promise<void> {
  const { store, definitions, lock, plan } = run;
  await remember(store, join(definitions.container.directory, LOCK_FILE), {
    hashes: plan.steps.map(({ hash }) => hash),
    digests: [...containerLockDigests(lock), ...planDigests(plan), ...toolDigests(run)],
  });
}

export async function rememberRepositoryLock(store: Store, directory: string, lock: RepositoryLock): Promise<void> {
  const digests = [...setDigests(lock.roots), ...sourceDigests(lock.sources)];
  await remember(store, join(directory, LOCK_FILE), { hashes: [], digests });
}

export async function rememberVendorLock(store: Store, path: string, lock: VendorLock): Promise<void> {
  const digests = [...lock.values()].flatMap(({ files }) => files.map(({ sha256 }) => sha256));
  await remember(store, path, { hashes: [], digests });
}

/** The layers that a plan's Debian packages were converted to: with them an image or a root needs no conversion. */
export async function convertedDigests({ store, plan }: Run): Promise<readonly Digest[]> {
  const converted = await Promise.all([...plan.conversions.values()].map(({ pin }) => findConverted(store, pin)));
  return converted.flatMap((found) => (found === undefined ? [] : [found.layer.diffId, found.layer.listing]));
}

/** A store that this user cannot write keeps no memory of the lock; everything else works. */
async function remember(store: Store, path: string, use: RootUse): Promise<void> {
  try {
    await rememberRoot(store, path, use);
  } catch (error) {
    if (!(error instanceof BuilditError)) throw error;
  }
}

export function containerLockDigests(lock: ContainerLock): readonly Digest[] {
  return [
    ...[lock.debian, lock.additions, lock.overrides].flatMap(setDigests),
    ...sourceDigests(lock.sources),
    ...Object.values(lock.patches).flatMap(({ sha256, normalisedSha256 }) => [sha256, normalisedSha256]),
  ];
}

export function planDigests({ steps, conversions }: Pick<Plan, 'steps' | 'conversions'>): readonly Digest[] {
  return [
    ...[...conversions.values()].map(({ pin }) => pin.sha256),
    ...steps.flatMap(({ hash, package: { sources, patches, files } }) => [
      hash,
      ...sources.map(({ sha256 }) => sha256),
      ...files.map(({ sha256 }) => sha256),
      ...patches.flatMap(({ sha256, normalisedSha256 }) => [sha256 ?? [], normalisedSha256 ?? []].flat()),
    ]),
  ];
}

/** What packs output, makes the sandbox where the host has none, and runs tests. */
function toolDigests(run: Run): readonly Digest[] {
  const tools = run.definitions.repositories.flatMap((repository) => {
    const debian = rootDebian(run, repository);
    const names = [...repository.debian.minimal, ...repository.debian.tools];
    return closureSteps(
      names.filter((name) => Object.hasOwn(debian, name)),
      debian,
    );
  });
  return [...tools, ...testDependencies(run, run.plan.steps)].map(({ pin }) => pin.sha256);
}

function setDigests(set: DebianSet): readonly Digest[] {
  return Object.values(set).map(({ sha256 }) => sha256);
}

function sourceDigests(set: DebianSourceSet | undefined): readonly Digest[] {
  return Object.values(set ?? {}).flatMap(({ files }) => files.map(({ sha256 }) => sha256));
}
