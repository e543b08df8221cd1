import { chmod, chown, lchown, lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Hash } from '../model/package-hash.ts';
import { type Store, untraversableDirectory } from '../store/store.ts';
import { failedBuildPath } from '../store/store-paths.ts';
import { openTemporary } from '../store/temporary.ts';
import { removeTree } from '../system/files.ts';
import { claimBuildOwner } from './build-owner.ts';
import type { SandboxOwner } from './run-sandbox.ts';

/*
 * temporary/<slot>/<name>-<random>/      or, kept after a failure, failed/<HASH>/
 *   work/      /build in the sandbox: src/, home/, files/
 *   out/       /out
 *   scripts/   /run/buildit, read-only
 *   channel/   the named pipe of the log, never in the sandbox of a build
 */
export interface Workspace {
  readonly path: string;
  readonly work: string;
  readonly output: string;
  readonly scripts: string;
  readonly channel: string;
  /** As whom the sandboxes of this build run. */
  readonly owner: SandboxOwner | undefined;
  /** Removes it all. Calling it again is harmless. */
  release(): Promise<void>;
  /** Keeps it for `buildit shell --failed` in place of what was kept for this HASH before. Answers where. */
  keep(): Promise<string>;
}

export async function openWorkspace(store: Store, hash: Hash, label: string): Promise<Workspace> {
  const { owner, release: releaseOwner } = await claimBuildOwner(store);
  try {
    if (owner !== undefined) refuseHiddenStore(store);
    const temporary = await openTemporary(store, label);
    const paths = workspacePaths(temporary.path);
    // The build's user must pass through to what is mounted; what lies here is known by names others cannot list.
    if (owner !== undefined) await chmod(temporary.path, 0o711);
    await makeDirectories(paths, owner);
    return {
      ...paths,
      owner,
      async release() {
        await temporary.release();
        releaseOwner();
      },
      async keep() {
        const kept = await keepWorkspace(store, hash, temporary.path);
        releaseOwner();
        return kept;
      },
    };
  } catch (error) {
    releaseOwner();
    throw error;
  }
}

/** Started by root, a store below a private directory cannot be reached by the user that a build runs as. */
function refuseHiddenStore(store: Store): void {
  const hidden = untraversableDirectory(store);
  if (hidden === undefined) return;
  throw new BuilditError(
    'sandbox-unavailable',
    `Cannot build in the store "${printable(store.directory)}": expected every user to pass through its parents, found "${printable(hidden)}" closed`,
    {
      hint: `name another directory with BUILDIT_STORE, such as /var/cache/buildit, or: chmod a+x ${printable(hidden)}`,
    },
  );
}

/** The workspace of the last failed build of a HASH that was kept; undefined where there is none. */
export async function openKeptWorkspace(store: Store, hash: Hash): Promise<Workspace | undefined> {
  const paths = workspacePaths(failedBuildPath(store, hash));
  if ((await lstat(paths.work).catch(() => undefined))?.isDirectory() !== true) return undefined;
  const { owner, release } = await claimBuildOwner(store);
  // The user it was built as may be another build's by now.
  for (const directory of [paths.work, paths.output]) await giveTree(directory, owner);
  return { ...paths, owner, release: async () => release(), keep: async () => paths.path };
}

/** Gives a tree that no process is changing to the user its build runs as; no link is followed. */
export async function giveTree(directory: string, owner: SandboxOwner | undefined): Promise<void> {
  if (owner === undefined) return;
  await lchown(directory, owner.uid, owner.gid);
  const waiting = [Buffer.from(directory)];
  for (let parent = waiting.pop(); parent !== undefined; parent = waiting.pop()) {
    for (const entry of await readdir(parent, { withFileTypes: true, encoding: 'buffer' })) {
      const path = Buffer.concat([parent, SLASH, entry.name]);
      await lchown(path, owner.uid, owner.gid);
      if (entry.isDirectory()) waiting.push(path);
    }
  }
}

/** Names are bytes: sources of Debian may have any. */
const SLASH = Buffer.from('/');

function workspacePaths(path: string) {
  const place = (name: string) => join(path, name);
  return { path, work: place('work'), output: place('out'), scripts: place('scripts'), channel: place('channel') };
}

/** What a build writes to belongs to its user alone; the scripts it can read and never change. */
async function makeDirectories(
  { work, output, scripts, channel }: ReturnType<typeof workspacePaths>,
  owner: SandboxOwner | undefined,
): Promise<void> {
  for (const directory of [work, output, channel]) {
    await mkdir(directory, { mode: 0o700 });
    await chmod(directory, 0o700);
    if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
  }
  await mkdir(scripts);
  await chmod(scripts, 0o755);
}

async function keepWorkspace(store: Store, hash: Hash, path: string): Promise<string> {
  const kept = failedBuildPath(store, hash);
  await removeTree(kept);
  await rename(path, kept);
  return kept;
}
