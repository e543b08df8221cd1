import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeTraversableDirectory, removeTree } from '../system/files.ts';
import { acquireLock, flockCommand } from '../system/lock.ts';
import { writeFailure } from '../system/write-failure.ts';
import { namesIn } from './names-in.ts';
import type { Store } from './store.ts';
import { lockPath, temporaryDirectoryPath } from './store-paths.ts';

/** Where processes write that have no `flock` yet, because they are just fetching one. */
const UNLOCKED_SLOT = 'unlocked';
const UNLOCKED_LIFE_MS = 3_600_000;

export interface TemporaryDirectory {
  readonly path: string;
  /** Removes the directory. Calling it again is harmless. */
  release(): Promise<void>;
}

/**
 * A fresh private directory (0700) in the store's file system, so that what is made in it can be renamed into place. When
 * this process dies, the next one to open the store removes it. `label` is for people who look at a running build.
 */
export async function openTemporary(store: Store, label: string): Promise<TemporaryDirectory> {
  const path = await temporaryPath(store, label);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    throw writeFailure(error, { verb: 'create', path });
  }
  return { path, release: () => removeTree(path) };
}

/** A name for a new file or directory in this process's own part of the store's file system. */
export async function temporaryPath(store: Store, label: string): Promise<string> {
  const slot = await ownSlot(store);
  const shown = label.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60);
  return join(slot, `${shown}-${randomBytes(8).toString('hex')}`);
}

const slots = new WeakMap<Store, Promise<string>>();

/**
 * The directory below `temporary/` that is this process's own for as long as it lives: the first whose lock is free. So
 * there are as many lock files as there ever were processes at once, and none is ever unlinked.
 */
function ownSlot(store: Store): Promise<string> {
  if (flockCommand() === undefined) return Promise.resolve(makeSlot(store, UNLOCKED_SLOT));
  let slot = slots.get(store);
  if (slot === undefined) {
    slot = claimSlot(store);
    slots.set(store, slot);
    slot.catch(() => slots.delete(store));
  }
  return slot;
}

async function claimSlot(store: Store): Promise<string> {
  for (let number = 0; ; number += 1) {
    const slot = String(number);
    // The lock is never released: the kernel does that when this process ends, however it ends.
    if ((await acquireLock(slotLockPath(store, slot), 'exclusive', { wait: false })) === undefined) continue;
    await removeContent(temporaryDirectoryPath(store, slot));
    return makeSlot(store, slot);
  }
}

function makeSlot(store: Store, slot: string): string {
  const path = temporaryDirectoryPath(store, slot);
  try {
    makeTraversableDirectory(path);
  } catch (error) {
    throw writeFailure(error, { verb: 'create', path });
  }
  return path;
}

/** Removes the temporary files of processes that are gone: those whose lock can be had. */
export async function removeAbandoned(store: Store): Promise<void> {
  for (const slot of namesIn(join(store.directory, 'temporary'))) {
    const path = temporaryDirectoryPath(store, slot);
    if (slot === UNLOCKED_SLOT) await removeContent(path, UNLOCKED_LIFE_MS);
    else if (/^[0-9]+$/.test(slot) && namesIn(path).length > 0) await removeAbandonedSlot(store, slot);
  }
}

async function removeAbandonedSlot(store: Store, slot: string): Promise<void> {
  if (flockCommand() === undefined) return;
  const lock = await acquireLock(slotLockPath(store, slot), 'exclusive', { wait: false }).catch(() => undefined);
  if (lock === undefined) return;
  try {
    await removeContent(temporaryDirectoryPath(store, slot));
  } finally {
    lock.release();
  }
}

/** Removes what it can: what another user left here stays until that user or root comes by. */
async function removeContent(directory: string, olderThanMs = 0): Promise<void> {
  for (const name of namesIn(directory)) {
    const path = join(directory, name);
    if (olderThanMs > 0 && Date.now() - modifiedMs(path) < olderThanMs) continue;
    await removeTree(path).catch(() => undefined);
  }
}

function modifiedMs(path: string): number {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function slotLockPath(store: Store, slot: string): string {
  return lockPath(store, `temporary-${slot}`);
}
