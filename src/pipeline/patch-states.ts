import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackSourceTree } from '../build/prepare-workspace.ts';
import { applyPatches, attemptPatch, type PatchOutcome } from '../fetch/apply-patch.ts';
import { rejectSentence } from '../fetch/patch-rejects.ts';
import type { PatchedPackage, SeriesPatch } from './patch-package.ts';

/** How a patch fares with the tree that those before it leave. */
export interface PatchState {
  readonly patch: string;
  readonly owner: SeriesPatch['owner'];
  /** `offset`: it applies, with hunks elsewhere than it says; `applied`: the source has it already. */
  readonly state: 'clean' | 'offset' | 'applied' | 'rejected';
  readonly files: number;
  readonly hunks: number;
  /** `hunk 1 of src/x.c by 3 lines`. */
  readonly offsets: readonly string[];
  readonly failures: readonly PatchFailure[];
}

export interface PatchFailure {
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly reason: string;
}

/**
 * Unpacks the sources of a package, with the patches they bring along, into a fresh directory `parent/name`; what the archives hold is as hostile as ever, and
 * no link in it is followed. Answers the directory.
 */
export async function unpackTree(
  { store, run, package: { name: shownName, sources, series } }: PatchedPackage,
  parent: string,
  name: string,
): Promise<string> {
  const tree = join(parent, name);
  await mkdir(tree, { mode: 0o755 });
  const request = {
    name: shownName,
    sources: sources.map(({ sha256: digest, ...source }) => ({ ...source, digest })),
    series,
  };
  const { signal } = run.options.context;
  await unpackSourceTree({ store, applyPatches }, request, { tree, scratch: parent }, { signal, shownName });
  return tree;
}

/** A tree as the first `count` patches of the series leave it. Throws `patch-rejected` where one of them does not apply. */
export async function patchedTree(
  patched: PatchedPackage,
  count: number,
  parent = patched.scratch,
  name = `tree-${count}`,
): Promise<string> {
  const tree = await unpackTree(patched, parent, name);
  for (const patch of patched.series.slice(0, count)) {
    const { error } = await attempt(patched, tree, patch);
    if (error !== undefined) throw error;
  }
  return tree;
}

/** Applies a patch where it can be applied. */
export function attempt({ shell }: PatchedPackage, tree: string, { label, text }: SeriesPatch): Promise<PatchOutcome> {
  return attemptPatch(tree, { label, text }, { shell });
}

/** Applies patches one after the other; one that does not apply is passed over. */
export async function applyAndTell(
  patched: PatchedPackage,
  tree: string,
  patches: readonly SeriesPatch[],
): Promise<readonly PatchState[]> {
  const states: PatchState[] = [];
  for (const patch of patches) states.push(patchState(patch, await attempt(patched, tree, patch)));
  return states;
}

export function patchState({ key, owner }: Pick<SeriesPatch, 'key' | 'owner'>, outcome: PatchOutcome): PatchState {
  const { files, moved, isApplied, error } = outcome;
  const state = error === undefined ? (moved.length > 0 ? 'offset' : 'clean') : isApplied ? 'applied' : 'rejected';
  return {
    patch: key,
    owner,
    state,
    files: new Set(files.map(({ newPath }) => newPath)).size,
    hunks: files.reduce((sum, { hunks }) => sum + hunks.length, 0),
    offsets: moved,
    failures: state === 'rejected' ? failuresOf(outcome) : [],
  };
}

function failuresOf({ rejects, error }: PatchOutcome): readonly PatchFailure[] {
  if (rejects.length === 0) return [{ file: undefined, line: undefined, reason: error!.message }];
  return rejects.map((reject) => ({
    file: reject.path,
    line: 'line' in reject && typeof reject.line === 'number' ? reject.line : undefined,
    reason: rejectSentence(reject),
  }));
}
