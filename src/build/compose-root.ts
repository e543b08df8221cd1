import { lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ensureWholeTree } from '../layer/ensure-tree.ts';
import { hasLayer } from '../layer/open-layer.ts';
import { findWholeTree, type WholeTree, writeTreeList } from '../layer/whole-tree.ts';
import { type Digest, digestOfJson } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { DiffId, KeptLayer } from '../model/layer.ts';
import { printable } from '../model/names.ts';
import {
  generatedFilesDigest,
  PROC_FILES,
  ROOT_TOP_LINKS,
  SANDBOX_CONTRACT_VERSION,
} from '../model/sandbox-contract.ts';
import { adoptBuildRoot, findBuildRoot, removeBuildRootAt } from '../store/build-roots.ts';
import { writeKeptList } from '../store/kept-list.ts';
import type { Store } from '../store/store.ts';
import { openTemporary } from '../store/temporary.ts';
import { treePath } from '../store/trees.ts';
import type { FileState } from '../system/file-state.ts';
import { writeFailure } from '../system/write-failure.ts';
import type { RootView } from './bubblewrap-arguments.ts';
import { checkRoot } from './check-root.ts';
import { LinkedFiles, VanishedFile } from './linked-files.ts';
import { listedEntries, mergeTrees, type RootContent, type RootEntry, type RootTree } from './merge-trees.ts';

/*
 * roots/<boot id>/<digest of members and generated files>/
 *   tree/     the root, hard links of files in the members' trees
 *   proc/     what is seen in place of some files of /proc
 */

/** Where a layer that takes part in a root comes from, and what it is called in messages. */
export interface RootMember {
  readonly label: string;
  readonly layer: KeptLayer;
  /** Makes the layer anew from what it was made of, where the store has lost it. */
  readonly remake?: (() => Promise<void>) | undefined;
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
  const found = await findWholeRoot(store, digest, diffIds, findMember);
  if (found.kind === 'whole') return viewRoot(found.path);
  for (let attempt = 1; ; attempt += 1) {
    const { trees, isHealed } = await ensureTrees(store, diffIds, findMember);
    if (found.kind === 'damaged' && attempt === 1 && !isHealed) {
      store.onWarning?.(`a build root in the store was damaged ("/${printable(found.at)}") and is made again`);
    }
    const composed = await compose(store, digest, diffIds, trees);
    if (composed !== undefined) return viewRoot(composed);
    if (attempt === MOST_ATTEMPTS) throw changing(trees[0]?.path ?? store.directory);
  }
}

/** How often a root is composed anew because a file of a tree changed while it was composed. */
const MOST_ATTEMPTS = 3;

type FindMember = (diffId: DiffId) => Promise<RootMember>;

/** The kept root, compared with its layers' trees. A damaged one is removed. */
async function findWholeRoot(
  store: Store,
  digest: Digest,
  diffIds: readonly DiffId[],
  findMember: FindMember,
): Promise<FoundRoot> {
  const kept = await findBuildRoot(store, digest);
  if (kept === undefined) return { kind: 'none' };
  const inode = lstatSync(kept, { bigint: true, throwIfNoEntry: false })?.ino;
  let check = await checkRoot(store, kept, diffIds);
  if (check.kind === 'unlisted') {
    await ensureTrees(store, diffIds, findMember);
    check = await checkRoot(store, kept, diffIds);
  }
  if (check.kind === 'whole') return { kind: 'whole', path: kept };
  await removeBuildRootAt(store, kept, inode);
  return check.kind === 'damaged' ? { kind: 'damaged', at: check.path } : { kind: 'none' };
}

type FoundRoot =
  | { readonly kind: 'whole'; readonly path: string }
  | { readonly kind: 'damaged'; readonly at: string }
  | { readonly kind: 'none' };

interface MemberTree extends RootTree {
  readonly listing: Digest;
  readonly files: ReadonlyMap<string, FileState>;
}

/**
 * All trees are compared before one is made again, so that one run finds all the damage. `isHealed`: a tree was damaged,
 * which was reported.
 */
async function ensureTrees(
  store: Store,
  diffIds: readonly DiffId[],
  findMember: FindMember,
): Promise<{ readonly trees: readonly MemberTree[]; readonly isHealed: boolean }> {
  let isHealed = false;
  const members: { readonly member: RootMember; readonly tree: WholeTree | undefined }[] = [];
  for (const diffId of diffIds) {
    const member = await findMember(diffId);
    const isThere = (await treePath(store, diffId)) !== undefined;
    const tree = await findWholeTree(store, member.layer);
    members.push({ member, tree });
    if (isThere && tree === undefined) isHealed = true;
  }
  const trees: MemberTree[] = [];
  for (const { member, tree } of members) {
    const { path, files } = tree ?? (await remadeTree(store, member));
    const { listing } = member.layer;
    trees.push({ label: member.label, path, listing, files, entries: listedEntries(files) });
  }
  return { trees, isHealed };
}

async function remadeTree(store: Store, { layer, remake }: RootMember): Promise<WholeTree> {
  if (remake !== undefined && !(await hasLayer(store, layer))) await remake();
  return ensureWholeTree(store, layer);
}

/** Composes a root and moves it into its place; undefined where a file of a tree was changed meanwhile. */
async function compose(
  store: Store,
  digest: Digest,
  diffIds: readonly DiffId[],
  trees: readonly MemberTree[],
): Promise<string | undefined> {
  const temporary = await openTemporary(store, 'root');
  try {
    const links = new LinkedFiles(trees);
    const isWritten = withCommonModes(() => {
      const isWhole = writeRoot(mergeTrees(trees), join(temporary.path, 'tree'), links);
      if (isWhole) writeProcFiles(temporary.path);
      return isWhole;
    });
    if (!isWritten || !(await links.compareDoubtful(store))) return undefined;
    const path = await adoptBuildRoot(store, digest, temporary.path);
    for (const [tree, files] of links.states()) await writeTreeList(store, tree, tree.path, files);
    await writeKeptList(store, path, { parts: diffIds, files: links.copies() });
    return path;
  } catch (error) {
    throw error instanceof BuilditError ? error : writeFailure(error, { verb: 'compose', path: temporary.path });
  } finally {
    await temporary.release();
  }
}

function changing(path: string): BuilditError {
  return new BuilditError(
    'store-damaged',
    `Cannot compose a root of "${printable(path)}": expected files that nobody else writes to, found them changing`,
    { hint: 'find out which program writes below the store' },
  );
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

/** Synchronous calls: for thousands of links they take a third of the time of awaited ones. */
function writeRoot(content: RootContent, target: string, links: LinkedFiles): boolean {
  mkdirSync(target, { mode: 0o755 });
  try {
    for (const [path, entry] of content) writeEntry(entry, path, `${target}/${path}`, links);
    return true;
  } catch (error) {
    // A tree that another run found damaged and removed.
    if (error instanceof VanishedFile) return false;
    throw error;
  }
}

function writeEntry(entry: RootEntry, path: string, target: string, links: LinkedFiles): void {
  switch (entry.kind) {
    case 'directory':
      mkdirSync(target, { mode: 0o755 });
      return;
    case 'taken':
      links.takeOver(entry.owner as MemberTree, path, target, entry.from);
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
