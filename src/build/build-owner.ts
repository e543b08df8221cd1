import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BuilditError } from '../model/errors.ts';
import type { Store } from '../store/store.ts';
import { lockPath } from '../store/store-paths.ts';
import { acquireLock } from '../system/lock.ts';
import type { SandboxOwner } from './run-sandbox.ts';

/**
 * Where buildit's uids begin. systemd's table of uids has 0x70000000 to 0x7FFDFFFF as unused, Debian policy 9.2 gives
 * them to nobody; Node's `spawn` takes none above 2^31.
 */
export const FIRST_UID = 0x7000_0000;
/** Each store has a block of its own, found by its path, so that two stores hardly ever use one uid. */
const BLOCKS = 2 ** 20;
const SLOTS = 128;

export interface ClaimedOwner {
  /** Undefined where buildit does not run as root: builds then run as its own user. */
  readonly owner: SandboxOwner | undefined;
  release(): void;
}

/**
 * Claims whom a build runs as. As root a sandbox would still be the machine's uid 0, so each build gets an unprivileged
 * uid that no other running build has.
 */
export async function claimBuildOwner(store: Store): Promise<ClaimedOwner> {
  if (!isRealRoot()) return { owner: undefined, release: () => undefined };
  const taken = knownUids();
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const uid = FIRST_UID + blockOf(store) * SLOTS + slot;
    if (taken.has(uid)) continue;
    const lock = await acquireLock(lockPath(store, `build-uid-${slot}`), 'exclusive', { wait: false });
    if (lock !== undefined) return { owner: { uid, gid: uid }, release: () => lock.release() };
  }
  throw new BuilditError('busy', `Cannot start another build: expected at most ${SLOTS} at once, found as many`);
}

/** Root of the machine. Root of another user namespace (`unshare -r`) is an ordinary user. */
export function isRealRoot(): boolean {
  return process.getuid?.() === 0 && isInitialUserNamespace(readFileSync('/proc/self/uid_map', 'utf8'));
}

export function isInitialUserNamespace(uidMap: string): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(uidMap);
}

function blockOf(store: Store): number {
  return createHash('sha256').update(store.directory).digest().readUInt32BE(0) % BLOCKS;
}

function knownUids(): Set<number> {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return new Set(lines.map((line) => Number(line.split(':')[2])));
}
