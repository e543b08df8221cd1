import { BuilditError } from './errors.ts';
import { printable } from './names.ts';

/** Where a patch is read: `at` counts lines from 0. */
export interface PatchPlace {
  readonly label: string;
  readonly at: number;
}

const MAXIMUM_SHOWN = 200;

/** The error for a text that is no unified diff, or one of which a part would be left out. */
export function patchRefusal(
  { label, at }: PatchPlace,
  found: string,
  hint = 'make it with `diff -u`, `git diff` or `git format-patch`',
): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot read patch "${printable(label)}": expected a unified diff, found ${found} (line ${at + 1})`,
    { hint },
  );
}

/** A name of a patch as a message shows it. */
export function shownName(name: string): string {
  return printable(name.length > MAXIMUM_SHOWN ? `${name.slice(0, MAXIMUM_SHOWN)}…` : name);
}
