import {
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureTree } from '../layer/ensure-tree.ts';
import { digestOfJson } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { DiffId, KeptLayer } from '../model/layer.ts';
import {
  generatedFilesDigest,
  PROC_FILES,
  ROOT_MOUNT_POINTS,
  ROOT_TOP_LINKS,
  SANDBOX_CONTRACT_VERSION,
} from '../model/sandbox-contract.ts';
import { adoptBuildRoot, findBuildRoot } from '../store/build-roots.ts';
import type { Store } from '../store/store.ts';
import { openTemporary } from '../store/temporary.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import type { RootView } from './bubblewrap-arguments.ts';
import { mergeTrees, type RootContent, type RootEntry, type RootTree, type TreeEntry } from './merge-trees.ts';

/*
 * roots/<boot id>/<digest of members and generated files>/
 *   tree/     the root, hard links of files in the members' trees
 *   proc/     what is seen in place of some files of /proc
 */

/** Where a layer that takes part in a root comes from, and what it is called in messages. */
export interface RootMember {
  readonly label: string;
  readonly layer: KeptLayer;
}

/**
 * Gives the root made of these layers, later ones over earlier ones: composed once, then kept under the digest of its
 * parts. It consists of hard links into the store and must never be written to.
 */
export async function composeRoot(
  store: Store,
  diffIds: readonly DiffId[],
  findMember: (diffId: DiffId) => Promise<RootMember>,
): Promise<RootView> {
  const digest = digestOfJson({
    contract: SANDBOX_CONTRACT_VERSION,
    generated: generatedFilesDigest(),
    members: diffIds,
  });
  const kept = await findBuildRoot(store, digest);
  if (kept !== undefined) return viewRoot(kept);
  const trees: RootTree[] = [];
  for (const diffId of diffIds) {
    const { label, layer } = await findMember(diffId);
    const path = await ensureTree(store, layer);
    trees.push({ label, path, entries: treeEntries(path) });
  }
  const temporary = await openTemporary(store, 'root');
  try {
    withCommonModes(() => {
      writeRoot(mergeTrees(trees), join(temporary.path, 'tree'));
      writeProcFiles(temporary.path);
    });
    return viewRoot(await adoptBuildRoot(store, digest, temporary.path));
  } catch (error) {
    throw error instanceof BuilditError ? error : writeFailure(error, { verb: 'compose', path: temporary.path });
  } finally {
    await temporary.release();
  }
}

/** Says which parts of a kept root the sandbox mounts; each is looked at, because binding follows links. */
export function viewRoot(path: string): RootView {
  const tree = join(path, 'tree');
  const names = readdirSync(tree).sort();
  for (const name of names) {
    if (!lstatSync(join(tree, name)).isDirectory()) {
      throw new BuilditError('store-damaged', `Cannot use the root "${tree}": expected a directory, found ${name}`);
    }
  }
  return {
    path: tree,
    directories: names,
    links: Object.entries(ROOT_TOP_LINKS)
      .filter(([, target]) => lstatSync(join(tree, target), { throwIfNoEntry: false })?.isDirectory() === true)
      .map(([name, target]) => ({ name, target })),
    procFiles: viewProcFiles(path),
  };
}

/** The stand-ins below a directory for those files of /proc that this kernel has. */
export function viewProcFiles(directory: string): RootView['procFiles'] {
  return Object.keys(PROC_FILES)
    .filter((file) => lstatSync(`/${file}`, { throwIfNoEntry: false })?.isFile() === true)
    .map((file) => ({ path: `/${file}`, source: join(directory, file) }));
}

/** Parents before what they hold. Trees in the store are private and whole: nothing changes below this walk. */
function* treeEntries(tree: string): Generator<TreeEntry> {
  const waiting = [''];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const entry of readdirSync(directory === '' ? tree : `${tree}/${directory}`, { withFileTypes: true })) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
      if (entry.isDirectory()) {
        yield { path, kind: 'directory' };
        if (directory !== '' || !ROOT_MOUNT_POINTS.includes(path)) waiting.push(path);
      } else {
        yield { path, kind: entry.isSymbolicLink() ? 'symlink' : 'file' };
      }
    }
  }
}

/** Synchronous calls: for thousands of links they take a third of the time of awaited ones. */
function writeRoot(content: RootContent, target: string): void {
  mkdirSync(target, { mode: 0o755 });
  for (const [path, entry] of content) writeEntry(entry, path, `${target}/${path}`);
}

function writeEntry(entry: RootEntry, path: string, target: string): void {
  switch (entry.kind) {
    case 'directory':
      mkdirSync(target, { mode: 0o755 });
      return;
    case 'taken':
      takeOver(`${entry.owner.path}/${path}`, target, entry.from);
      return;
    case 'generated-file':
      writeFileSync(target, entry.content, { mode: 0o644, flag: 'wx' });
      return;
    case 'generated-link':
      symlinkSync(entry.target, target);
      return;
    default:
      entry satisfies never;
  }
}

/** Hard-links a file or a link itself; where the file system will not (too many links, other owner), copies it. */
function takeOver(source: string, target: string, from: 'file' | 'symlink'): void {
  try {
    linkSync(source, target);
  } catch (error) {
    if (!['EMLINK', 'EXDEV', 'EPERM', 'ENOTSUP'].includes(systemErrorCode(error) ?? '')) throw error;
    if (from === 'symlink') symlinkSync(readlinkSync(source), target);
    else copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}

/** The stand-in of a file of /proc lies at the same path below the kept directory. */
export function writeProcFiles(directory: string): void {
  for (const [file, content] of Object.entries(PROC_FILES)) {
    const path = join(directory, file);
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeFileSync(path, content, { mode: 0o644, flag: 'wx' });
  }
}

/** Runs something synchronous under the usual umask: a root must be readable for whoever the build runs as. */
export function withCommonModes<Result>(write: () => Result): Result {
  const before = process.umask(0o022);
  try {
    return write();
  } finally {
    process.umask(before);
  }
}
