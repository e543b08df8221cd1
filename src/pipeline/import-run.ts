import { createHash } from 'node:crypto';
import { basename, dirname, join, resolve } from 'node:path';
import { shippedClassPhases } from '../definition/shipped-class-phases.ts';
import { readBytes, readText } from '../document/read-text.ts';
import { resolveInside } from '../document/resolve-inside.ts';
import { importApkbuild } from '../draft/import/import-apkbuild.ts';
import { importEbuild } from '../draft/import/import-ebuild.ts';
import { importMelange } from '../draft/import/import-melange.ts';
import type { ImportedRecipe, NeededFile, UnpinnedSource } from '../draft/import/imported-recipe.ts';
import type { ClassPhases } from '../draft/import/translate-build.ts';
import type { DraftNote, RecipeDraft } from '../draft/recipe-draft.ts';
import { recipeText } from '../draft/recipe-text.ts';
import { SHELL_LIMITS } from '../draft/shell/read-shell.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { shownUrl } from '../system/http.ts';
import { fetchUnknownSource } from './fetch-unknown-source.ts';
import type { NewOptions } from './new-run.ts';
import { openRunStore } from './prepare-run.ts';
import { requireReadable } from './require-readable.ts';
import { type NewFile, writeNewFiles } from './write-new-files.ts';

export const IMPORT_FORMATS = ['apkbuild', 'ebuild', 'melange'] as const;
export type ImportFormat = (typeof IMPORT_FORMATS)[number];

export interface ImportRequest {
  readonly format: ImportFormat;
  /** As typed. */
  readonly file: string;
  /** As typed: the directory to write; undefined: nothing is written. */
  readonly output: string | undefined;
  /** Fetches sources whose sha256 the other recipe does not say. */
  readonly fetch: boolean;
}

export interface ImportOutcome {
  /** Of pkg.yaml. */
  readonly text: string;
  /** Absolute paths, none where no directory was named. */
  readonly written: readonly string[];
  /** What a person has to do, with the field it is about. */
  readonly todos: readonly { readonly at: string; readonly text: string }[];
}

/** A patch or a script beside another system's recipe; larger ones are no text that a person wrote. */
const MOST_FILE_BYTES = 4 * 1024 * 1024;

/** Translates another system's recipe, as data, into a first draft of a pkg.yaml. */
export async function importRecipe(options: NewOptions, request: ImportRequest): Promise<ImportOutcome> {
  const path = resolve(options.cwd, request.file);
  const { text } = await readText(path, {
    name: request.file,
    maximumBytes: SHELL_LIMITS.bytes,
    code: 'input-invalid',
  });
  const imported = translate(request.format, text, path, await shippedClassPhases());
  const pinned = await pinSources(imported, request, options);
  const { files, notes } = await takeFiles(imported.files, dirname(path));
  const draft = { ...pinned, notes: [...pinned.notes, ...notes] };
  const written = recipeText(draft);
  await requireReadable('pkg.yaml', written);
  const todos = draft.notes.filter(({ kind }) => kind === 'todo').map(({ at, text: todo }) => ({ at, text: todo }));
  if (request.output === undefined) return { text: written, written: [], todos };
  const directory = resolve(options.cwd, request.output);
  const all: NewFile[] = [
    { path: join(directory, 'pkg.yaml'), content: written },
    ...files.map(({ to, content }) => ({ path: join(directory, to), content })),
  ];
  await writeNewFiles(all);
  return { text: written, written: all.map((file) => file.path), todos };
}

function translate(format: ImportFormat, text: string, path: string, phases: ClassPhases): ImportedRecipe {
  switch (format) {
    case 'apkbuild':
      return importApkbuild(text, phases);
    case 'ebuild':
      return importEbuild(text, path, phases);
    case 'melange':
      return importMelange(text, path, phases);
  }
}

/** Gives each source its sha256, by fetching it where that was asked for; what the other recipe says is compared. */
async function pinSources(
  { draft, unpinned }: ImportedRecipe,
  { fetch }: ImportRequest,
  options: NewOptions,
): Promise<RecipeDraft> {
  if (unpinned.length === 0) return draft;
  if (!fetch) {
    const notes = unpinned.map(({ url, sha512 }): DraftNote => {
      const said = sha512 === undefined ? 'no sha256 is said' : 'only a sha512 is said';
      return { at: 'source', kind: 'todo', text: `${said} for ${url}: add sha256, or import with --fetch` };
    });
    return { ...draft, notes: [...draft.notes, ...notes] };
  }
  const store = await openRunStore(options);
  const sources = [...draft.sources];
  for (const source of unpinned) {
    sources[source.index] = { ...sources[source.index]!, sha256: await pin(source, store, options) };
  }
  return { ...draft, sources };
}

async function pin({ url, sha512 }: UnpinnedSource, store: Store, options: NewOptions): Promise<Digest> {
  const digest = await fetchUnknownSource(url, { store, ...options });
  if (sha512 === undefined) return digest;
  const hash = createHash('sha512');
  for await (const chunk of openBlob(store, digest)) hash.update(chunk);
  const found = hash.digest('hex');
  if (found === sha512.toLowerCase()) return digest;
  throw new BuilditError(
    'checksum-mismatch',
    `Cannot import "${shownUrl(url)}": expected sha512 ${printable(sha512)}, found ${found}`,
    { hint: 'the file is not the one that the other recipe was written for' },
  );
}

/** Reads patches and files beside the other recipe. What is not there is something to do. */
async function takeFiles(
  files: readonly NeededFile[],
  directory: string,
): Promise<{ readonly files: readonly { to: string; content: Buffer }[]; readonly notes: readonly DraftNote[] }> {
  const taken: { to: string; content: Buffer }[] = [];
  const notes: DraftNote[] = [];
  for (const { from, to } of files) {
    const found = await resolveInside(directory, from);
    if (found.kind === 'file') {
      const content = await readBytes(found.path, { name: from, maximumBytes: MOST_FILE_BYTES, code: 'input-invalid' });
      taken.push({ to, content });
    } else {
      const at = to.startsWith('patches/') ? 'patches' : 'phases';
      notes.push({ at, kind: 'todo', text: `${basename(from)} is not beside the recipe: put it at ${to}` });
    }
  }
  return { files: taken, notes };
}
