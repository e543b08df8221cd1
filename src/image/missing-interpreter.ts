import type { OciDefinition } from './oci-config.ts';
import type { ImageContent } from './prepare-content.ts';
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
  const interpreter = interpretersOf(await beginningOf(content, path)).find(
    (name) => findProgram(content.tree, definition, name) === undefined,
  );
  return interpreter === undefined ? undefined : { program, interpreter };
}

/** BINPRM_BUF_SIZE: Linux looks no further for the end of the line. */
const LINE_BYTES = 256;

async function beginningOf({ tree, layers }: Pick<ImageContent, 'tree' | 'layers'>, path: string): Promise<string> {
  const { entry, source } = tree.entries.get(path)!;
  const file = entry.type === 'hardlink' ? source.listing.find((other) => other.path === entry.target) : entry;
  const layer = layers.find((other) => other === source);
  if (file?.type !== 'file' || layer === undefined) return '';
  if (layer.member?.layer.elf.some((elf) => elf.path === file.path) === true) return '';
  const content = (await layer.open())(file);
  if (content instanceof Uint8Array) return beginning(content);
  for await (const chunk of content) return beginning(chunk);
  return '';
}

function beginning(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, LINE_BYTES)).toString('latin1');
}

/** The interpreter of a script as execve(2) reads it, and the program that it looks up itself where it is env(1). */
function interpretersOf(text: string): readonly string[] {
  const [, interpreter, rest = ''] = /^#![ \t]*(\/[^ \t\n]*)[ \t]*([^\n]*)/.exec(text) ?? [];
  if (interpreter === undefined) return [];
  if (!/\/env$/.test(interpreter)) return [interpreter];
  const name = rest.split(/[ \t]+/).find((word) => word !== '' && !word.startsWith('-') && !word.includes('='));
  return name === undefined ? [interpreter] : [interpreter, name];
}
