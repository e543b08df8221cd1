import { mkdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { shownPath } from '../document/read-document.ts';
import { resolveInside } from '../document/resolve-inside.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { patchPath, readPatchName } from '../patching/patch-name.ts';
import { writeFileDurably } from '../system/files.ts';
import type { PatchedPackage, SeriesPatch } from './patch-package.ts';

/** The patch of this pkg.yaml that a person means by its path, its name or its URL; only one in a file can be written. */
export function ownPatch({ series, directory }: PatchedPackage, typed: string): { patch: SeriesPatch; index: number } {
  const own = series.flatMap((patch, index) => (patch.owner === 'own' ? [{ patch, index }] : []));
  const tests = [
    (key: string) => key === typed || key === `./${typed}`,
    (key: string) => key === `patches/${typed}` || key === `patches/${typed}.patch`,
    (key: string) => key.split('/').at(-1) === `${typed.replace(/\.patch$/, '')}.patch`,
  ];
  const found = tests.map((test) => own.filter(({ patch }) => test(patch.key))).find((group) => group.length > 0) ?? [];
  if (found.length === 1) return found[0]!;
  const known = own.map(({ patch }) => patch.key).join(', ');
  throw new BuilditError(
    found.length === 0 ? 'file-missing' : 'usage',
    `Cannot find the patch "${printable(typed)}" in ${printable(shownPath(directory))}: expected one, found ${found.length === 0 ? 'none' : found.map(({ patch }) => patch.key).join(' and ')}`,
    { hint: known === '' ? '`buildit patch new` makes one' : `it has ${known}` },
  );
}

/** Refuses a patch that is not a file beside pkg.yaml. */
export function requireFile(patch: SeriesPatch): SeriesPatch {
  if (patch.patch.location.kind === 'file') return patch;
  throw new BuilditError(
    'usage',
    `Cannot change "${printable(patch.key)}": expected a file below the package, found a URL`,
    { hint: 'take it down, `buildit patch add` the file, and remove the URL from pkg.yaml' },
  );
}

/** Where a new patch goes: the path, and the place in the series. Throws where there is one of that name. */
export async function newPatchPlace(patched: PatchedPackage, typed: string) {
  const name = readPatchName(typed);
  const key = patchPath(name);
  const there = await resolveInside(patched.directory, key);
  if (there.kind === 'missing') return { name, key, index: placeInSeries(patched, key) };
  throw new BuilditError(
    'cannot-write',
    `Cannot make "${key}": expected no such file in ${printable(shownPath(patched.directory))}, found one`,
    {
      hint: patched.series.some((known) => known.key === key)
        ? `\`buildit patch edit\` changes it`
        : 'it is not listed in pkg.yaml; remove it or choose another name',
    },
  );
}

/** Behind all others but the user's; where pkg.yaml lists none, by the bytes of its name. */
export function placeInSeries({ series, isListed }: PatchedPackage, key: string): number {
  const behind = isListed
    ? -1
    : series.findIndex(
        (known) => known.owner === 'own' && Buffer.compare(Buffer.from(known.key), Buffer.from(key)) > 0,
      );
  return behind < 0 ? series.filter(({ owner }) => owner !== 'user').length : behind;
}

/** The bytes of a patch file, latin1. */
export async function readPatchFile({ patch }: SeriesPatch): Promise<string> {
  const { path } = patch.location as Extract<SeriesPatch['patch']['location'], { kind: 'file' }>;
  return readFile(path, 'latin1');
}

/** Writes a patch (latin1) below the package; a link that leads out of it is refused. */
export async function writePatchFile({ directory }: PatchedPackage, key: string, text: string): Promise<void> {
  const parent = key.split('/').slice(0, -1).join('/');
  if (parent !== '') await ensureInside(directory, parent);
  const found = await resolveInside(directory, key);
  if (found.kind === 'file' || found.kind === 'missing') {
    await writeFileDurably(found.path, Buffer.from(text, 'latin1'));
    return;
  }
  throw notWritable(directory, key);
}

async function ensureInside(directory: string, parent: string): Promise<void> {
  const found = await resolveInside(directory, parent);
  if (found.kind === 'missing') await mkdir(join(await realpath(directory), parent));
  else if (found.kind !== 'directory') throw notWritable(directory, parent);
}

function notWritable(directory: string, key: string): BuilditError {
  const shown = printable(shownPath(join(directory, key)));
  return new BuilditError(
    'cannot-write',
    `Cannot write "${shown}": expected a place inside the package, found something else there`,
  );
}

/** Replaces pkg.yaml by a text that was made of it. */
export async function writeDefinition({ definition }: PatchedPackage, text: string): Promise<void> {
  await writeFileDurably(definition.path, text);
}
