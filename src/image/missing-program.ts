import type { MergedTree } from './merge-tree.ts';
import type { OciDefinition } from './oci-config.ts';
import { resolveInTree } from './tree-path.ts';

/** The absolute path an image is to start by that is no file in it: a typo, mostly. Undefined where all is well. */
export function missingProgram({ config }: OciDefinition, { entries }: MergedTree): string | undefined {
  const program = (config.entrypoint?.length ? config.entrypoint : config.cmd)?.[0];
  if (program === undefined || !program.startsWith('/')) return undefined;
  const resolved = resolveInTree((path) => entries.get(path)?.entry, program, { followLast: true });
  const entry = resolved.kind === 'path' ? entries.get(resolved.path)?.entry : undefined;
  return entry?.type === 'file' || entry?.type === 'hardlink' ? undefined : program;
}
