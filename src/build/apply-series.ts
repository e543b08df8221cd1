import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
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
 * order, with `-p1` and without fuzz, each below the directory of the list, and the list for Debian before the one for
 * all. Nothing outside the tree is read and no link followed. What was applied is noted in `.pc` as quilt(1) does, so
 * that dpkg-buildpackage finds nothing left to do, and rules can take patches off again (curl's do). A tree without the
 * list has no patches.
 */
export async function applySeries(
  tree: string,
  series: string,
  applyPatches: ApplyPatches,
  { shell, time, signal }: SeriesOptions,
): Promise<void> {
  const [directory, usual] = [dirname(series), basename(series)];
  const ofVendor = await readTreeFile(tree, `${directory}/debian.${usual}`);
  const file = ofVendor === undefined ? usual : `debian.${usual}`;
  const list = ofVendor ?? (await readTreeFile(tree, series)) ?? '';
  const names = parseSeries(list, `${directory}/${file}`);
  if (names.length > MAXIMUM_PATCHES) throw refusal(series, `at most ${MAXIMUM_PATCHES} patches`, 'more');
  await emptyNotes(tree);
  if (ofVendor !== undefined) await linkSeries(join(tree, directory), usual, file);
  for (const name of names) {
    throwIfInterrupted(signal);
    const label = `${directory}/${plainPath(name)}`;
    const text = await readTreeFile(tree, label);
    if (text === undefined) throw refusal(series, 'the patches it names', `none at ${label}`);
    const ofDebian = { removesEmpty: true, backups: `${NOTES}/${plainPath(name)}` };
    await applyPatches(tree, [{ label, text }], { shell, time, ofDebian });
  }
  await noteApplied(tree, { directory, file, names });
}

/** One name a line, with comments behind `#`. What else stands on a line is for quilt(1): dpkg-source(1) passes it over. */
export function parseSeries(text: string, series: string): string[] {
  return text.split('\n').flatMap((line) => {
    const words = line.split(/\s+/).filter((word) => word !== '');
    const [name] = words;
    // As in Perl, where "0" is not true.
    if (name === undefined || name.startsWith('#') || (name === '0' && (words[1] ?? '#').startsWith('#'))) return [];
    if (!isCleanRelativePath(plainPath(name)) || printable(name) !== name)
      throw refusal(series, 'clean relative paths', `"${printable(name.slice(0, 200))}"`);
    return [name];
  });
}

/** Without the elements that mean nothing. */
function plainPath(name: string): string {
  if (name.startsWith('/')) return name;
  return name
    .split('/')
    .filter((element) => element !== '' && element !== '.')
    .join('/');
}

/** quilt(1) knows one name of the list alone. */
async function linkSeries(directory: string, usual: string, file: string): Promise<void> {
  const there = await lstat(join(directory, usual)).catch(() => undefined);
  if (there?.isSymbolicLink() === true) await rm(join(directory, usual));
  if (there === undefined || there.isSymbolicLink()) await symlink(file, join(directory, usual));
}

/** Some archives bring the notes of whoever packed them. */
async function emptyNotes(tree: string): Promise<void> {
  const notes = join(tree, NOTES);
  await rm(notes, { recursive: true, force: true });
  await mkdir(notes);
  await chmod(notes, 0o755);
}

async function noteApplied(
  tree: string,
  { directory, file, names }: { readonly directory: string; readonly file: string; readonly names: readonly string[] },
): Promise<void> {
  const notes = join(tree, NOTES);
  const files = { '.quilt_patches': directory, '.quilt_series': file, '.version': '2' };
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
