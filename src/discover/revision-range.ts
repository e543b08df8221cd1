import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** Two states of a git repository; `to` is undefined for the files as they lie in the work tree. */
export interface RevisionRange {
  readonly from: string;
  readonly to: string | undefined;
}

/** Branches, tags, commits, and what is counted from them: `HEAD~2`, `v1.4^`, `main@{1}`. Never an option. */
const REVISION = /^[A-Za-z0-9_@][A-Za-z0-9._/+~^@{}-]{0,199}$/;

/** Reads `REV..REV`, or `REV..` for what was changed since then, committed or not. */
export function parseRevisionRange(text: string): RevisionRange {
  const [from, to] = splitRange(text) ?? [];
  if (from === undefined || !isRevision(from) || (to !== '' && !isRevision(to!))) {
    throw new BuilditError(
      'usage',
      `Cannot compare "${printable(text)}": expected a range of git revisions such as main..HEAD, found something else`,
      { hint: 'HEAD.. compares the last commit with the files as they are now' },
    );
  }
  return { from, to: to === '' ? undefined : to };
}

/** Both sides of the first `..` that is no part of `...`. */
function splitRange(text: string): readonly [string, string] | undefined {
  const at = text.search(/(?<=[^\n])\.\.(?!\.)/);
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + 2)];
}

function isRevision(text: string): boolean {
  return REVISION.test(text) && !/\.\.|\/\/|[./]$/.test(text);
}
