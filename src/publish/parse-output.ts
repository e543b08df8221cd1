import { resolve } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

export const OUTPUT_TYPES = ['oci', 'docker', 'aci', 'tar'] as const;
export type OutputType = (typeof OUTPUT_TYPES)[number];

/** Where an image is to be written, and as what. */
export interface OutputSpec {
  readonly type: OutputType;
  /** Absolute. For `oci` a directory, or an archive where it ends with `.tar`. */
  readonly dest: string;
}

/** Reads what `--output` is given: `type=oci,dest=PATH`. Relative paths begin at `directory`. */
export function parseOutput(text: string, directory: string): OutputSpec {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const [, key, value] = /^([a-z]+)=(.+)$/s.exec(part) ?? [];
    if (key === undefined || value === undefined || !['type', 'dest'].includes(key) || fields.has(key)) {
      throw invalidOutput(text, `"${printable(part)}"`);
    }
    fields.set(key, value);
  }
  const type = OUTPUT_TYPES.find((known) => known === fields.get('type'));
  const dest = fields.get('dest');
  if (type === undefined)
    throw invalidOutput(text, fields.has('type') ? `type ${printable(fields.get('type')!)}` : 'no type');
  if (dest === undefined || dest.includes('\0')) throw invalidOutput(text, 'no dest');
  return { type, dest: resolve(directory, dest) };
}

function invalidOutput(text: string, found: string): BuilditError {
  return new BuilditError(
    'usage',
    `Cannot use --output "${printable(text)}": expected type=${OUTPUT_TYPES.join('|')},dest=PATH, found ${found}`,
  );
}
