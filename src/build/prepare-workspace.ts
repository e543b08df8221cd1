import { chmod, lstat, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BuildContext, BuildRequest } from '../model/build-request.ts';
import { isCleanRelativePath } from '../model/names.ts';
import { EARLIEST_SOURCE_DATE } from '../model/sandbox-contract.ts';
import { readBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { applySeries } from './apply-series.ts';
import { throwIfInterrupted } from './throw-if-interrupted.ts';
import { copyBlob, readDiff, unpackSource } from './unpack-source.ts';
import { giveTree, type Workspace } from './workspace.ts';

/** Applies patches in order to a tree (`fetch/` has the one that is used): normalised ones, or Debian's as they are. */
export type ApplyPatches = (
  directory: string,
  patches: readonly { readonly label: string; readonly text: string }[],
  options: {
    readonly shell?: string | undefined;
    readonly time?: number | undefined;
    /** The result is that of dpkg-source(1). */
    readonly ofDebian?:
      | {
          readonly removesEmpty: boolean;
          /** A directory of the tree that gets every patched file as it was before. */
          readonly backups?: string | undefined;
        }
      | undefined;
  },
) => Promise<void>;

/** Unpacks, patches, writes scripts, and hands all to the build's user. Answers the source date, in seconds. */
export async function prepareWorkspace(
  workspace: Workspace,
  { store, applyPatches }: { readonly store: Store; readonly applyPatches: ApplyPatches },
  request: BuildRequest,
  context: Pick<BuildContext, 'signal' | 'onPhase' | 'shownName'>,
): Promise<number> {
  context.onPhase('unpack');
  const shownName = context.shownName ?? request.name;
  const sourceDate = await unpackSources(store, request, workspace, applyPatches, { ...context, shownName });
  throwIfInterrupted(context.signal);
  if (request.patches.length > 0) context.onPhase('patch');
  await patchSources(store, request.patches, workspace, applyPatches, { sourceDate, shownName });
  throwIfInterrupted(context.signal);
  await writeScripts(request.phases, workspace);
  await writeFile(sourceDatePath(workspace), `${sourceDate}\n`);
  await giveTree(workspace.work, workspace.owner);
  return sourceDate;
}

/** The source date is kept beside a workspace, for a shell in it later. */
export async function readSourceDate(workspace: Workspace): Promise<number> {
  return Number(await readFile(sourceDatePath(workspace), 'utf8'));
}

function sourceDatePath({ path }: Workspace): string {
  return join(path, 'source-date');
}

/** Scripts lie where the sandbox sees them read-only, and are there before anything foreign runs. */
async function writeScripts(phases: BuildRequest['phases'], { scripts }: Workspace): Promise<void> {
  for (const { name, script } of phases) {
    const path = join(scripts, name);
    await writeFile(path, script, { flag: 'wx' });
    await chmod(path, 0o644);
  }
}

/** Unpacks the sources of a request into a fresh workspace, with the recipe's files. Answers the source date. */
async function unpackSources(
  store: Store,
  request: BuildRequest,
  workspace: Workspace,
  applyPatches: ApplyPatches,
  context: { readonly signal: AbortSignal; readonly shownName: string },
): Promise<number> {
  const { work } = workspace;
  const tree = join(work, 'src');
  await makeDirectory(tree);
  await makeDirectory(join(work, 'home'));
  const places = { tree, scratch: workspace.path };
  const sourceDate = await unpackSourceTree({ store, applyPatches }, request, places, context);
  await placeFiles(store, request, join(work, 'files'), sourceDate);
  return sourceDate;
}

/**
 * Unpacks sources into an empty directory, with the patches that they bring along themselves; `scratch` is a directory of
 * the same file system. Answers the source date.
 */
export async function unpackSourceTree(
  { store, applyPatches }: { readonly store: Store; readonly applyPatches: ApplyPatches },
  { name, sources, series }: Pick<BuildRequest, 'name' | 'sources' | 'series'>,
  { tree, scratch }: { readonly tree: string; readonly scratch: string },
  { signal, shownName }: { readonly signal: AbortSignal; readonly shownName: string },
): Promise<number> {
  let newest: number | undefined;
  for (const [index, source] of sources.entries()) {
    if (source.action === 'patch') {
      const diff = { label: source.fileName, text: await readDiff(store, source) };
      const time = clampSourceDate(newest) + 1;
      await applyPatches(tree, [diff], { shell: shownName, time, ofDebian: { removesEmpty: false } });
      continue;
    }
    const time = await unpackSource(store, source, tree, join(scratch, `source-${index}`), {
      recipe: name,
      signal,
    });
    if (source.directory === '.') newest ??= time;
  }
  const sourceDate = clampSourceDate(newest);
  if (series !== undefined) {
    await applySeries(tree, series, applyPatches, { shell: shownName, time: sourceDate + 1, signal });
    await makeRulesExecutable(tree);
  }
  return sourceDate;
}

/** A diff knows no modes, and dpkg-source(1) makes this one file executable in any format. Links are not followed. */
async function makeRulesExecutable(tree: string): Promise<void> {
  const parent = await lstat(join(tree, 'debian')).catch(() => undefined);
  const path = join(tree, 'debian/rules');
  const rules = parent?.isDirectory() === true ? await lstat(path).catch(() => undefined) : undefined;
  if (rules?.isFile() === true) await chmod(path, 0o755);
}

/** Applies patches; what they write is a second younger than the newest source, so that make sees it changed. */
export async function patchSources(
  store: Store,
  patches: BuildRequest['patches'],
  { work }: Workspace,
  applyPatches: ApplyPatches,
  { sourceDate, shownName }: { readonly sourceDate: number; readonly shownName: string },
): Promise<void> {
  for (const { digest, label } of patches) {
    const text = (await readBlob(store, digest)).toString('latin1');
    await applyPatches(join(work, 'src'), [{ label, text }], { shell: shownName, time: sourceDate + 1 });
  }
}

/** SOURCE_DATE_EPOCH within what every format can hold: from 1980 to 2106. */
export function clampSourceDate(seconds: number | undefined): number {
  return Math.min(Math.max(seconds ?? EARLIEST_SOURCE_DATE, EARLIEST_SOURCE_DATE), 2 ** 32 - 1);
}

async function placeFiles(store: Store, { files }: BuildRequest, directory: string, sourceDate: number): Promise<void> {
  await makeDirectory(directory);
  for (const { path, digest, executable } of files) {
    if (!isCleanRelativePath(path)) throw new TypeError(`${path} is not a clean relative path`);
    const target = join(directory, path);
    await makeParents(directory, path);
    await copyBlob(store, digest, target, executable ? 0o755 : 0o644);
    await utimes(target, sourceDate, sourceDate);
  }
}

async function makeParents(directory: string, path: string): Promise<void> {
  if (dirname(path) === '.') return;
  await makeParents(directory, dirname(path));
  await mkdir(join(directory, dirname(path)), { recursive: true });
  await chmod(join(directory, dirname(path)), 0o755);
}

async function makeDirectory(path: string): Promise<void> {
  await mkdir(path);
  await chmod(path, 0o755);
}
