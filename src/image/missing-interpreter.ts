import type { OciDefinition } from './oci-config.ts';
import type { ImageContent } from './prepare-content.ts';
import { scriptInterpreters } from './script-interpreters.ts';
import { findProgram, startedProgram } from './started-program.ts';

export interface MissingInterpreter {
  /** The script, as the image's configuration has it. */
  readonly program: string;
  /** A path, or a name that `env` looks up. */
  readonly interpreter: string;
}

/** What runs the script that an image starts, where the image lacks that. Undefined where all is well, or no script. */
export async function missingInterpreter(
  definition: OciDefinition,
  content: Pick<ImageContent, 'tree' | 'layers'>,
): Promise<MissingInterpreter | undefined> {
  const program = startedProgram(definition);
  const path = program === undefined ? undefined : findProgram(content.tree, definition, program);
  if (program === undefined || path === undefined) return undefined;
  const interpreter = scriptInterpreters(await beginningOf(content, path)).find(
    (name) => findProgram(content.tree, definition, name) === undefined,
  );
  return interpreter === undefined ? undefined : { program, interpreter };
}

async function beginningOf({ tree, layers }: Pick<ImageContent, 'tree' | 'layers'>, path: string): Promise<Uint8Array> {
  const { entry, source } = tree.entries.get(path)!;
  const file = entry.type === 'hardlink' ? source.listing.find((other) => other.path === entry.target) : entry;
  const layer = layers.find((other) => other === source);
  if (file?.type !== 'file' || layer === undefined) return new Uint8Array();
  if (layer.member?.layer.elf.some((elf) => elf.path === file.path) === true) return new Uint8Array();
  const content = (await layer.open())(file);
  if (content instanceof Uint8Array) return content;
  for await (const chunk of content) return chunk;
  return new Uint8Array();
}
