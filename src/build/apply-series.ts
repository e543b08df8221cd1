import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import { normalisePatch } from '../model/normalise-patch.ts';
import type { ApplyPatches } from './prepare-workspace.ts';
import { throwIfInterrupted } from './throw-if-interrupted.ts';

const MAXIMUM_BYTES = 64 << 20;
/** Where quilt(1) notes what it applied, and keeps each file as it was before each patch. */
const NOTES = '.pc';
/** The kernel's packages have a thousand. */
const MAXIMUM_PATCHES = 5000;

export interface SeriesOptions {
  readonly shell: string;
  /** Time of every file written, in seconds. */
  readonly time: number;
  readonly signal: AbortSignal;
}

/**
 * Applies the patches that a list inside a source tree names, as dpkg-source(1) does for the format "3.0 (quilt)": in
 * order, without fuzz, each below the directory of the list. Nothing outside the tree is read and no link followed. What
 * was applied is noted in `.pc` as quilt(1) does, so that dpkg-buildpackage finds nothing left to do, and rules can take
 * patches off again (curl's do). A tree without the list has no patches.
 */
export async function applySeries(
  tree: string,
  series: string,
  applyPatches: ApplyPatches,
  { shell, time, signal }: SeriesOptions,
): Promise<void> {
  const list = await readTreeFile(tree, series);
  if (list === undefined) return;
  const directory = series.slice(0, series.lastIndexOf('/'));
  const names: string[] = [];
  const patches = parseSeries(list, series);
  if (patches.length > MAXIMUM_PATCHES) throw refusal(series, `at most ${MAXIMUM_PATCHES} patches`, 'more');
  await emptyNotes(tree);
  for (const { name, strip } of patches) {
    throwIfInterrupted(signal);
    const label = `${directory}/${name}`;
    const text = await readTreeFile(tree, label);
    if (text === undefined) throw refusal(series, 'the patches it names', `none at ${label}`);
    const backups = `${NOTES}/${name}`;
    const patch = { label, text: normalisePatch(text, strip, label) };
    await applyPatches(tree, [patch], { shell, time, nearest: true, backups });
    names.push(name);
  }
  await noteApplied(tree, directory, names);
}

/** One name a line, with `-p0` or `-p1` behind it and comments after `#`. */
export function parseSeries(text: string, series: string): { readonly name: string; readonly strip: number }[] {
  return text.split('\n').flatMap((line) => {
    const [name, ...options] = line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    if (name === undefined || name === '') return [];
    const strip = options.find((option) => /^-p[0-9]$/.test(option));
    if (!isCleanRelativePath(name) || printable(name) !== name)
      throw refusal(series, 'clean relative paths', `"${printable(name)}"`);
    return [{ name, strip: strip === undefined ? 1 : Number(strip.slice(2)) }];
  });
}

/** Some archives bring the notes of whoever packed them. */
async function emptyNotes(tree: string): Promise<void> {
  const notes = join(tree, NOTES);
  await rm(notes, { recursive: true, force: true });
  await mkdir(notes);
  await chmod(notes, 0o755);
}

async function noteApplied(tree: string, directory: string, names: readonly string[]): Promise<void> {
  const notes = join(tree, NOTES);
  const files = { '.quilt_patches': directory, '.quilt_series': 'series', '.version': '2' };
  for (const [name, text] of Object.entries(files)) await writeFile(join(notes, name), `${text}\n`, { flag: 'wx' });
  const applied = names.map((name) => `${name}\n`).join('');
  await writeFile(join(notes, 'applied-patches'), applied, { flag: 'wx' });
}

/** The content of a regular file of the tree, latin1; undefined where there is none. */
async function readTreeFile(tree: string, path: string): Promise<string | undefined> {
  const elements = path.split('/');
  for (let length = 1; length <= elements.length; length += 1) {
    const at = elements.slice(0, length).join('/');
    const stat = await lstat(join(tree, at)).catch(() => undefined);
    if (stat === undefined) return undefined;
    const fits = length < elements.length ? stat.isDirectory() : stat.isFile() && stat.size <= MAXIMUM_BYTES;
    if (!fits) throw refusal(path, 'a regular file', `something else at ${printable(at)}`);
  }
  const file = await open(join(tree, path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return (await file.readFile()).toString('latin1');
  } finally {
    await file.close();
  }
}

function refusal(series: string, expected: string, found: string): BuilditError {
  return new BuilditError('input-invalid', `Cannot apply "${printable(series)}": expected ${expected}, found ${found}`);
}
