import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { elfSymbols } from '../layer/elf-symbols.ts';
import { ensureTree } from '../layer/ensure-tree.ts';
import { isText, listOf, objectOf } from '../model/json-shape.ts';
import type { LayerEntry } from '../model/layer.ts';
import { readNote, writeNote } from '../store/notes.ts';
import type { Store } from '../store/store.ts';
import type { ImageLayer } from './image-layer.ts';
import type { ImageMember } from './image-member.ts';
import { INTERPRETER_LINE_BYTES, scriptInterpreters } from './script-interpreters.ts';

/** What the programs of one layer need beside libraries. Paths are those of the layer. */
export interface ProgramNeeds {
  /** Programs that call a shell through the C library. */
  readonly shellCallers: readonly { readonly path: string; readonly call: string }[];
  readonly scripts: readonly { readonly path: string; readonly interpreters: readonly string[] }[];
}

const isProgramNeeds = objectOf<{ [Key in keyof ProgramNeeds]: ProgramNeeds[Key] }>({
  shellCallers: listOf(objectOf({ path: isText, call: isText })),
  scripts: listOf(objectOf({ path: isText, interpreters: listOf(isText) })),
});

const NAMESPACE = 'program-needs';
/** A change of what is looked for. */
const VERSION = 1;
/** system(3), popen(3) and wordexp(3) run /bin/sh. */
const SHELL_CALLS = ['system', 'popen', 'wordexp'];
const PROGRAM_DIRECTORY = /^(?:usr\/(?:local\/)?)?s?bin\/[^/]+$/;

/** Reads them once for each layer of a package; later they are taken from the store. */
export async function memberNeeds(store: Store, { layer, listing }: ImageMember): Promise<ProgramNeeds> {
  const elf = new Map(layer.elf.map((facts) => [facts.path, facts]));
  const programs = listing.filter(isProgram);
  const scripts = programs.filter(({ path }) => !elf.has(path));
  const callers = programs.filter(({ path }) => elf.get(path)?.interpreter !== undefined);
  if (scripts.length === 0 && callers.length === 0) return { shellCallers: [], scripts: [] };
  const key = `${VERSION} ${layer.diffId}`;
  const known = await readNote(store, NAMESPACE, key, isProgramNeeds);
  if (known !== undefined) return known;
  const tree = await ensureTree(store, layer);
  const needs = {
    shellCallers: callers.flatMap(({ path }) => {
      const [call] = withFile(join(tree, path), (source) => elfSymbols(source, SHELL_CALLS)) ?? [];
      return call === undefined ? [] : [{ path, call }];
    }),
    scripts: scripts.flatMap(({ path }) => {
      const read = (source: FileSource) => scriptInterpreters(source.read(0, INTERPRETER_LINE_BYTES));
      const interpreters = withFile(join(tree, path), read) ?? [];
      return interpreters.length === 0 ? [] : [{ path, interpreters }];
    }),
  };
  await writeNote(store, NAMESPACE, key, {
    shellCallers: [...needs.shellCallers],
    scripts: [...needs.scripts],
  } as never);
  return needs;
}

/** Of a layer of the container's own files, which is small and changes often. */
export async function draftNeeds(layer: ImageLayer): Promise<ProgramNeeds> {
  const read = await layer.open();
  const scripts: { path: string; interpreters: readonly string[] }[] = [];
  for (const entry of layer.listing) {
    if (!isProgram(entry) || entry.type !== 'file') continue;
    const interpreters = scriptInterpreters(await beginningOf(read(entry)));
    if (interpreters.length > 0) scripts.push({ path: entry.path, interpreters });
  }
  return { shellCallers: [], scripts };
}

function isProgram(entry: LayerEntry): boolean {
  return entry.type === 'file' && (entry.mode & 0o111) !== 0 && entry.size > 0 && PROGRAM_DIRECTORY.test(entry.path);
}

async function beginningOf(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (content instanceof Uint8Array) return content;
  for await (const chunk of content) return chunk;
  return new Uint8Array();
}

interface FileSource {
  readonly size: number;
  read(offset: number, length: number): Buffer;
}

/** Undefined where the file cannot be read: this is for a note to the user only. */
function withFile<Result>(path: string, work: (source: FileSource) => Result): Result | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const { size } = fstatSync(file);
    const read = (offset: number, length: number) => {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
      return buffer.subarray(0, buffer.length === 0 ? 0 : readSync(file, buffer, 0, buffer.length, offset));
    };
    return work({ size, read });
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}
