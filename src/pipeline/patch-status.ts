import { openSessions } from '../patching/open-tree.ts';
import type { BuildOptions } from './contract.ts';
import { type PatchTarget, withPatchedPackage } from './patch-package.ts';
import { applyAndTell, type PatchState, patchedTree } from './patch-states.ts';

export interface PatchStatus {
  readonly name: string;
  readonly version: string;
  readonly patches: readonly PatchState[];
  /** Names of patches whose trees are open below the package. */
  readonly open: readonly string[];
}

/** How each patch of a package fares with its source; one that does not apply is left out for those behind it. */
export async function patchStatus(options: BuildOptions, target: PatchTarget): Promise<PatchStatus> {
  return withPatchedPackage(options, target, async (patched) => {
    const { name, version } = patched.package;
    const patches = await applyAndTell(patched, await patchedTree(patched, 0), patched.series);
    return { name, version, patches, open: await openSessions(target.directory) };
  });
}
