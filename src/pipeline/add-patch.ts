import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { attemptPatch } from '../fetch/apply-patch.ts';
import { fetchPatch } from '../fetch/fetch-patch.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { normalisePatch } from '../model/normalise-patch.ts';
import { MAXIMUM_PATCH_BYTES } from '../model/parse-patch.ts';
import { headerOf } from '../patching/patch-header.ts';
import { addPatchEntries, type PatchEntry } from '../patching/patches-key.ts';
import { readBlob } from '../store/read-blob.ts';
import type { BuildOptions } from './contract.ts';
import { newPatchPlace, writeDefinition, writePatchFile } from './patch-files.ts';
import { type PatchedPackage, type PatchTarget, type SeriesPatch, withPatchedPackage } from './patch-package.ts';
import { applyAndTell, type PatchState, patchedTree, patchState } from './patch-states.ts';
import { fetchSession } from './realise-run.ts';
import { tellOfOtherVersions } from './tell-of-other-versions.ts';

export interface AddRequest {
  /** A URL, or the absolute path of a file. */
  readonly from: { readonly kind: 'url'; readonly url: string } | { readonly kind: 'file'; readonly path: string };
  readonly description?: string | undefined;
  readonly fixes: readonly string[];
  readonly strip: number;
  /** What the file is called in `patches/`, in place of its own name. */
  readonly name?: string | undefined;
}

export interface AddedPatch {
  readonly state: PatchState;
  readonly later: readonly PatchState[];
  /** pkg.yaml was changed. */
  readonly isListed: boolean;
}

/**
 * Adds a patch behind the others of a pkg.yaml: a file is copied, a URL is pinned by its checksum. Throws
 * `patch-rejected`, with nothing written, where it does not apply.
 */
export async function addPatch(options: BuildOptions, target: PatchTarget, request: AddRequest): Promise<AddedPatch> {
  return withPatchedPackage(options, target, async (patched) => {
    const given = await readGiven(patched, request);
    const { key, index, raw } = given;
    const text = normalisePatch(raw, request.strip, key);
    const tree = await patchedTree(patched, index);
    const outcome = await attemptPatch(tree, { label: key, text }, { shell: patched.shell });
    if (outcome.error !== undefined) throw outcome.error;
    const later = await applyAndTell(patched, tree, patched.series.slice(index));
    const definition = definitionWith(patched, request, given);
    if (request.from.kind === 'file') await writePatchFile(patched, key, raw);
    if (definition !== undefined) await writeDefinition(patched, definition);
    tellOfOtherVersions(patched, key, target.version);
    const state = patchState({ key, owner: 'own' }, outcome);
    return { state, later, isListed: definition !== undefined };
  });
}

interface GivenPatch {
  readonly key: string;
  readonly index: number;
  /** Latin1. */
  readonly raw: string;
  readonly sha256: string | undefined;
}

async function readGiven(patched: PatchedPackage, { from, strip, name }: AddRequest): Promise<GivenPatch> {
  if (from.kind === 'url') {
    const key = acceptedUrl(from.url);
    if (patched.series.some((known) => known.owner === 'own' && known.label === key)) {
      throw new BuilditError('usage', `Cannot add "${printable(key)}": expected a new patch, found it in pkg.yaml`);
    }
    const { sha256 } = await fetchPatch(key, strip, fetchSession(patched.run));
    const index = patched.series.filter(({ owner }) => owner !== 'user').length;
    return { key, index, sha256, raw: (await readBlob(patched.store, sha256)).toString('latin1') };
  }
  const raw = await readGivenFile(from.path);
  const { key, index } = await newPatchPlace(patched, name ?? basename(from.path).replace(/\.(?:patch|diff)$/, ''));
  return { key, index, raw, sha256: undefined };
}

/** As pkg.yaml takes it: https, without a user, a password or a fragment. */
function acceptedUrl(typed: string): string {
  const url = URL.canParse(typed) ? new URL(typed) : undefined;
  const isPlain = url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
  if (isPlain && printable(url.href) === url.href && url.href.length <= 2000) return url.href;
  throw new BuilditError(
    'usage',
    `Cannot add "${printable(typed)}": expected an https URL without a user, a password or a fragment`,
  );
}

async function readGivenFile(path: string): Promise<string> {
  const stats = await stat(path).catch((cause) => {
    throw new BuilditError('file-missing', `Cannot add "${printable(path)}": expected a patch, found no file`, {
      cause,
    });
  });
  if (stats.isFile() && stats.size <= MAXIMUM_PATCH_BYTES) return readFile(path, 'latin1');
  throw new BuilditError(
    'input-invalid',
    `Cannot add "${printable(path)}": expected a file of at most ${MAXIMUM_PATCH_BYTES} bytes, found something else`,
  );
}

/** The new pkg.yaml; undefined where the file in `patches/` says it all. */
function definitionWith(
  { isListed, series, definition }: PatchedPackage,
  { from, description, fixes, strip }: AddRequest,
  { key, raw, sha256 }: GivenPatch,
): string | undefined {
  if (!isListed && from.kind === 'file' && fixes.length === 0 && strip === 1) return undefined;
  const entry: PatchEntry = {
    key,
    description: description ?? summaryOf(raw),
    fixes,
    strip,
    ...(sha256 === undefined ? {} : { sha256 }),
  };
  // A list of patches is the whole list: those that were implied are named in it.
  const implied = isListed ? [] : series.filter(({ owner }) => owner === 'own');
  return addPatchEntries(definition, [...implied.map(entryOf), entry]);
}

function entryOf({ key }: SeriesPatch): PatchEntry {
  return { key, description: '' };
}

/** What a patch says of itself in one line, as `git format-patch` and DEP-3 write it. */
function summaryOf(raw: string): string {
  const header = Buffer.from(headerOf(raw), 'latin1').toString('utf8');
  const [, subject = ''] = /^(?:Description|Subject):[ \t]*(.*)$/m.exec(header) ?? [];
  return printable(subject.replace(/^\[[^\]]*\]\s*/, '').trim()).slice(0, 200);
}
