import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** What a patch in `patches/` may be called, without the `.patch` behind it. */
const PATCH_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$/;

/** The name a person means by `fix-x`, `fix-x.patch` or `patches/fix-x.patch`. */
export function readPatchName(typed: string): string {
  const name = typed.replace(/^(?:\.\/)?patches\//, '').replace(/\.patch$/, '');
  if (PATCH_NAME.test(name) && !name.includes('..')) return name;
  throw new BuilditError(
    'usage',
    `Cannot call a patch "${printable(typed)}": expected a name of letters, digits, ".", "_", "+" and "-"`,
  );
}

export function patchPath(name: string): string {
  return `patches/${name}.patch`;
}
