import { shownPath } from '../document/read-document.ts';
import { attemptPatch } from '../fetch/apply-patch.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { normalisePatch } from '../model/normalise-patch.ts';
import type { FilePatch } from '../model/patch.ts';
import { compareTrees } from '../patching/compare-trees.ts';
import {
  makeSessionDirectory,
  openTreePath,
  type PatchSession,
  readSession,
  removeSession,
  treeOf,
  writeSession,
} from '../patching/open-tree.ts';
import { headerOf, type PatchFacts, patchHeader } from '../patching/patch-header.ts';
import { readPatchName } from '../patching/patch-name.ts';
import { addPatchEntries, repinPatch } from '../patching/patches-key.ts';
import { writeDiff } from '../patching/write-diff.ts';
import { removeTree } from '../system/files.ts';
import type { BuildOptions } from './contract.ts';
import { newPatchPlace, ownPatch, readPatchFile, requireFile, writeDefinition, writePatchFile } from './patch-files.ts';
import { type PatchedPackage, type PatchTarget, type SeriesPatch, withPatchedPackage } from './patch-package.ts';
import { applyAndTell, attempt, type PatchState, patchedTree } from './patch-states.ts';
import { tellOfOtherVersions } from './tell-of-other-versions.ts';

export interface OpenRequest {
  readonly kind: PatchSession['kind'];
  /** As typed. */
  readonly name: string;
  /** Of a new patch. */
  readonly facts?: Partial<PatchFacts>;
  /** Where the tree goes in place of `.buildit/patch/NAME` below the package; absolute. */
  readonly directory?: string | undefined;
  /** Forgets what an earlier session of this patch left. */
  readonly isFresh: boolean;
}

export interface OpenedPatch {
  readonly name: string;
  /** `patches/NAME.patch`. */
  readonly key: string;
  /** The tree to change; absolute. */
  readonly tree: string;
  /** An earlier session goes on. */
  readonly isContinued: boolean;
  /** Patches that apply after this one and are not in the tree. */
  readonly later: readonly string[];
}

/**
 * Opens the source of a package for a change: with the patches that come before the new one, or up to and including the
 * one that is edited. One that does not apply is left out of the tree, with a warning.
 */
export async function openPatch(
  options: BuildOptions,
  target: PatchTarget,
  request: OpenRequest,
): Promise<OpenedPatch> {
  const { directory, boundary } = sessionPlace(target, request);
  const earlier = request.isFresh ? undefined : await readSession(directory, boundary);
  return withPatchedPackage(options, targetOf(earlier, target, directory), async (patched) => {
    const place = await placeOf(patched, request);
    if (request.isFresh) await removeSession(directory, boundary);
    const known = await readSession(directory, boundary);
    if (known !== undefined) requireBase(known, patched, place.index, directory);
    else await openSession(patched, { ...request, version: target.version }, place, { directory, boundary });
    const behind = place.index + (request.kind === 'edit' ? 1 : 0);
    return {
      name: place.name,
      key: place.key,
      tree: treeOf(directory),
      isContinued: known !== undefined,
      later: patched.series.slice(behind).map(({ key }) => key),
    };
  });
}

interface Place {
  readonly name: string;
  readonly key: string;
  readonly index: number;
}

async function placeOf(patched: PatchedPackage, { kind, name }: Pick<OpenRequest, 'kind' | 'name'>): Promise<Place> {
  if (kind === 'new') return newPatchPlace(patched, name);
  const { patch, index } = ownPatch(patched, name);
  const { key } = requireFile(patch);
  return { name: readPatchName(key.split('/').at(-1)!), key, index };
}

/** A patch below `patches/` is told by its last name. */
function sessionPlace(target: PatchTarget, { name, directory }: Pick<OpenRequest, 'name' | 'directory'>) {
  if (directory !== undefined) return { directory, boundary: undefined };
  const last = readPatchName(name.split('/').at(-1)!);
  return { directory: openTreePath(target.directory, last), boundary: target.directory };
}

/** A session goes on with the version it was opened with. */
function targetOf(session: PatchSession | undefined, target: PatchTarget, directory: string): PatchTarget {
  const { version } = session ?? {};
  if (version === undefined || target.version === undefined || target.version === version)
    return { ...target, version: version ?? target.version };
  throw new BuilditError(
    'usage',
    `Cannot go on with "${printable(shownPath(directory))}": expected version ${printable(version)}, which it was opened with, found ${printable(target.version)}`,
    { hint: 'leave out --at, or keep what you changed elsewhere, and open it anew with --fresh' },
  );
}

async function openSession(
  patched: PatchedPackage,
  { kind, facts = {}, version }: OpenRequest & Pick<PatchSession, 'version'>,
  { name, index }: Place,
  { directory, boundary }: ReturnType<typeof sessionPlace>,
): Promise<void> {
  const header = kind === 'new' ? patchHeader({ ...facts, description: facts.description ?? name }) : '';
  await makeSessionDirectory(directory, boundary);
  try {
    const tree = await patchedTree(patched, index, directory, 'tree');
    if (kind === 'edit') {
      const { error } = await attempt(patched, tree, patched.series[index]!);
      if (error !== undefined) {
        const text = `${error.message}; the tree is as it was before this patch`;
        patched.run.options.context.emit({ kind: 'warning', text });
      }
    }
    await writeSession(directory, { kind, name, header, version, base: baseOf(patched, index) });
  } catch (error) {
    await removeSession(directory, boundary);
    throw error;
  }
}

function baseOf({ package: { sources }, series }: PatchedPackage, index: number): Digest {
  const parts = sources.map(({ sha256: digest, fileName, action, strip, directory, clears = null }) => ({
    ...{ digest, fileName, action, strip, directory, clears },
  }));
  const patches = series.slice(0, index).map(({ text }) => sha256(Buffer.from(text, 'latin1')));
  return sha256(canonicalJson({ sources: parts, patches }));
}

function requireBase(session: PatchSession, patched: PatchedPackage, index: number, directory: string): void {
  if (session.base === baseOf(patched, index)) return;
  throw new BuilditError(
    'input-invalid',
    `Cannot go on with "${printable(shownPath(directory))}": expected the source it was opened with, found that the source or a patch before this one has changed`,
    { hint: 'keep what you changed elsewhere, and open it anew with --fresh' },
  );
}

export interface FinishedPatch {
  readonly patch: string;
  readonly state: 'written' | 'unchanged';
  readonly files: number;
  readonly hunks: number;
  readonly added: number;
  readonly removed: number;
  /** pkg.yaml was changed. */
  readonly isListed: boolean;
  /** How the patches behind it fare now. */
  readonly later: readonly PatchState[];
  /** New files of the tree that editors leave behind: no part of the patch. */
  readonly leftOut: readonly string[];
}

/** Makes a patch of what was changed in an open tree, writes it and removes the tree; undefined where none is open. */
export async function finishPatch(
  options: BuildOptions,
  target: PatchTarget,
  request: { readonly name: string; readonly directory?: string | undefined },
): Promise<FinishedPatch | undefined> {
  const { directory, boundary } = sessionPlace(target, request);
  const session = await readSession(directory, boundary);
  if (session === undefined) return undefined;
  const asked = targetOf(session, target, directory);
  return withPatchedPackage(options, asked, async (patched) => {
    const place = await placeOf(patched, session);
    requireBase(session, patched, place.index, directory);
    const finished =
      session.kind === 'new'
        ? await finishNew(patched, session, place, { edited: treeOf(directory), version: asked.version })
        : await finishEdit(patched, place, treeOf(directory));
    await removeSession(directory, boundary);
    return finished;
  });
}

async function finishNew(
  patched: PatchedPackage,
  session: PatchSession,
  { key, index }: Place,
  { edited, version }: { readonly edited: string; readonly version: string | undefined },
): Promise<FinishedPatch> {
  const header = Buffer.from(session.header).toString('latin1');
  const change = await changeOf(patched, { index, edited, key, header, strip: 1 });
  if (change.files.length === 0) return finished(key, change, { state: 'unchanged', later: [] });
  const later = await applyAndTell(patched, change.tree, patched.series.slice(index));
  const description = /^Description: (.*)$/m.exec(session.header)?.[1] ?? '';
  const definition = patched.isListed ? addPatchEntries(patched.definition, [{ key, description }]) : undefined;
  await writePatchFile(patched, key, change.text);
  if (definition !== undefined) await writeDefinition(patched, definition);
  tellOfOtherVersions(patched, key, version);
  return finished(key, change, { state: 'written', later, isListed: definition !== undefined });
}

async function finishEdit(patched: PatchedPackage, { key, index }: Place, edited: string): Promise<FinishedPatch> {
  const old = patched.series[index]!;
  if (await isAsPatched(patched, old, index, edited)) {
    return finished(key, { files: [], leftOut: [] }, { state: 'unchanged', later: [] });
  }
  const header = headerOf(await readPatchFile(old));
  const change = await changeOf(patched, { index, edited, key, header, strip: old.patch.strip });
  if (change.files.length === 0) {
    throw new BuilditError('input-invalid', `Cannot write "${key}": expected a change of the source, found none`, {
      hint: 'remove the patch where it is no longer wanted; the tree stays open',
    });
  }
  const later = await applyAndTell(patched, change.tree, patched.series.slice(index + 1));
  const digest = sha256(Buffer.from(change.text, 'latin1'));
  const definition = repinPatch(patched.definition, key, digest);
  await writePatchFile(patched, key, change.text);
  if (definition !== undefined) await writeDefinition(patched, definition);
  return finished(key, change, { state: 'written', later, isListed: definition !== undefined });
}

/** Whether the tree is still what the patch makes of the source: its file then stays as it is. */
async function isAsPatched(patched: PatchedPackage, old: SeriesPatch, index: number, edited: string): Promise<boolean> {
  const tree = await patchedTree(patched, index, patched.scratch, 'as-patched');
  const { error } = await attempt(patched, tree, old);
  const isSame = error === undefined && (await compareTrees(tree, edited, old.key)).files.length === 0;
  await removeTree(tree);
  return isSame;
}

interface Change {
  readonly files: readonly FilePatch[];
  readonly leftOut: readonly string[];
}

/** The patch that makes the edited tree of the one before it: written, read back, applied and compared again. */
async function changeOf(
  patched: PatchedPackage,
  asked: { index: number; edited: string; key: string; header: string; strip: number },
): Promise<Change & { readonly text: string; readonly tree: string }> {
  const { index, edited, key, header, strip } = asked;
  const tree = await patchedTree(patched, index);
  const { files, leftOut } = await compareTrees(tree, edited, key);
  const text = header + writeDiff(files, strip);
  if (files.length > 0) {
    const { error } = await attemptPatch(tree, { label: key, text: normalisePatch(text, strip, key) });
    const { files: different } = await compareTrees(tree, edited, key);
    if (error !== undefined || different.length > 0) throw notTheSame(key, different, error);
  }
  return { files, leftOut, text, tree };
}

function notTheSame(key: string, different: readonly FilePatch[], cause: unknown): BuilditError {
  const place = different[0] === undefined ? '' : ` at ${printable(different[0].newPath)}`;
  return new BuilditError(
    'input-invalid',
    `Cannot write "${key}": expected a patch that gives the changed tree, found a difference${place}`,
    { hint: 'was the tree changed meanwhile? leave the editors and try again', cause },
  );
}

function finished(
  patch: string,
  { files, leftOut }: Change,
  { state, later, isListed = false }: Pick<FinishedPatch, 'state' | 'later'> & { isListed?: boolean },
): FinishedPatch {
  const lines = files.flatMap(({ hunks }) => hunks.flatMap((hunk) => hunk.lines));
  return {
    ...{ patch, state, later, leftOut, isListed },
    files: files.length,
    hunks: files.reduce((sum, { hunks }) => sum + hunks.length, 0),
    added: lines.filter(({ kind }) => kind === 'added').length,
    removed: lines.filter(({ kind }) => kind === 'removed').length,
  };
}
