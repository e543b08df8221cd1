import { readNode } from '../fetch/patched-tree.ts';
import { sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { normalisePatch } from '../model/normalise-patch.ts';
import { parseNormalisedPatch } from '../model/parse-patch.ts';
import { compareFile, type TreeFile } from '../patching/compare-file.ts';
import { compareTrees } from '../patching/compare-trees.ts';
import { headerOf } from '../patching/patch-header.ts';
import { repinPatch } from '../patching/patches-key.ts';
import { writeDiff } from '../patching/write-diff.ts';
import type { BuildOptions } from './contract.ts';
import { ownPatch, readPatchFile, requireFile, writeDefinition, writePatchFile } from './patch-files.ts';
import { type PatchedPackage, type PatchTarget, type SeriesPatch, withPatchedPackage } from './patch-package.ts';
import { attempt, patchedTree } from './patch-states.ts';

export interface RefreshedPatch {
  readonly patch: string;
  /** `left`: it lies behind a URL. */
  readonly state: 'rewritten' | 'unchanged' | 'left';
  /** Hunks that had moved. */
  readonly offsets: readonly string[];
}

/**
 * Rewrites one patch of a pkg.yaml, or all of them, for the source as it is: no hunk then lies elsewhere than it says.
 * Headers stay. Throws `patch-rejected`, with nothing written, where a patch does not apply.
 */
export async function refreshPatches(
  options: BuildOptions,
  target: PatchTarget,
  name: string | undefined,
): Promise<readonly RefreshedPatch[]> {
  return withPatchedPackage(options, target, async (patched) => {
    const only = name === undefined ? undefined : requireFile(ownPatch(patched, name).patch);
    const isMeant = (patch: SeriesPatch) => patch.owner === 'own' && (only === undefined || patch === only);
    const last = patched.series.findLastIndex(isMeant);
    const tree = await patchedTree(patched, 0);
    const refreshed: (RefreshedPatch & { readonly text?: string | undefined })[] = [];
    const series: SeriesPatch[] = [];
    for (const patch of patched.series.slice(0, last + 1)) {
      const result = isMeant(patch) ? await refreshPatch(patched, tree, patch) : await applied(patched, tree, patch);
      if (isMeant(patch)) refreshed.push(result);
      const text = result.text && normalisePatch(result.text, patch.patch.strip, patch.key);
      series.push(text === undefined ? patch : { ...patch, text });
    }
    if (refreshed.some(({ state }) => state === 'rewritten')) await requireSameTree({ ...patched, series }, tree);
    await writeRefreshed(patched, refreshed);
    return refreshed.map(({ text: _, ...rest }) => rest);
  });
}

async function applied(patched: PatchedPackage, tree: string, patch: SeriesPatch) {
  const { error, moved: offsets } = await attempt(patched, tree, patch);
  if (error !== undefined) throw error;
  return { patch: patch.key, state: 'left' as const, offsets, text: undefined };
}

async function refreshPatch(patched: PatchedPackage, tree: string, patch: SeriesPatch) {
  if (patch.patch.location.kind === 'url') return applied(patched, tree, patch);
  const raw = await readPatchFile(patch);
  const paths = pathsOf(patch);
  const before = await filesAt(tree, paths);
  const hadLinks = await hasLinkAt(tree, paths);
  const { offsets } = await applied(patched, tree, patch);
  const after = await filesAt(tree, paths);
  // Links have no lines that move: such a patch stays as it is.
  if (hadLinks || (await hasLinkAt(tree, paths))) {
    return { patch: patch.key, state: 'unchanged' as const, offsets, text: undefined };
  }
  const files = paths.flatMap((path) => compareFile(path, before.get(path), after.get(path)) ?? []);
  const text = headerOf(raw) + writeDiff(files, patch.patch.strip);
  const { key } = patch;
  if (text === raw || files.length === 0) return { patch: key, state: 'unchanged' as const, offsets, text: undefined };
  return { patch: key, state: 'rewritten' as const, offsets, text };
}

function pathsOf({ text }: SeriesPatch): readonly string[] {
  return [...new Set(parseNormalisedPatch(text).flatMap(({ oldPath, newPath }) => [oldPath, newPath]))].sort();
}

async function filesAt(tree: string, paths: readonly string[]): Promise<ReadonlyMap<string, TreeFile>> {
  const files = new Map<string, TreeFile>();
  for (const path of paths) {
    const node = await readNode({ directory: tree, changes: new Map() }, path);
    if (node.kind === 'file') files.set(path, node);
  }
  return files;
}

async function hasLinkAt(tree: string, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    if ((await readNode({ directory: tree, changes: new Map() }, path)).kind === 'link') return true;
  }
  return false;
}

/** What was written anew gives what the old patches gave, to the byte, or nothing is written. */
async function requireSameTree(refreshed: PatchedPackage, tree: string): Promise<void> {
  const again = await patchedTree(refreshed, refreshed.series.length, refreshed.scratch, 'again');
  const { files } = await compareTrees(tree, again, 'patches');
  if (files.length === 0) return;
  throw new BuilditError(
    'input-invalid',
    `Cannot refresh the patches: expected the same tree from them, found a difference at ${files[0]!.newPath}`,
    { hint: '`buildit patch edit` opens a tree to make the patch in anew' },
  );
}

async function writeRefreshed(
  patched: PatchedPackage,
  refreshed: readonly { readonly patch: string; readonly text?: string | undefined }[],
): Promise<void> {
  let { definition } = patched;
  for (const { patch, text } of refreshed) {
    if (text === undefined) continue;
    await writePatchFile(patched, patch, text);
    const pinned = repinPatch(definition, patch, sha256(Buffer.from(text, 'latin1')));
    if (pinned !== undefined) definition = { ...definition, text: pinned };
  }
  if (definition !== patched.definition) await writeDefinition(patched, definition.text);
}
