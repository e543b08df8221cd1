import type { MergedTree } from './merge-tree.ts';
import type { OciDefinition } from './oci-config.ts';
import { findFile, startedProgram } from './started-program.ts';

/** The absolute path an image is to start by that is no file in it: a typo, mostly. Undefined where all is well. */
export function missingProgram(definition: OciDefinition, tree: MergedTree): string | undefined {
  const program = startedProgram(definition);
  if (program === undefined || !program.startsWith('/')) return undefined;
  return findFile(tree, program) === undefined ? program : undefined;
}
