import type { FilePatch } from '../model/patch.ts';
import { diffHunks } from './diff-hunks.ts';

/** A regular file. Content is latin1, one character a byte. */
export interface TreeFile {
  readonly content: string;
  readonly executable: boolean;
}

/** The change of one file, undefined where there is none. A rename is a deletion and a creation. */
export function compareFile(
  path: string,
  before: TreeFile | undefined,
  after: TreeFile | undefined,
): FilePatch | undefined {
  const paths = { oldPath: path, newPath: path };
  const hunks = diffHunks(before?.content ?? '', after?.content ?? '');
  if (before === undefined) {
    if (after === undefined) return undefined;
    return { kind: 'create', ...paths, executable: after.executable ? true : undefined, hunks };
  }
  if (after === undefined) return { kind: 'delete', ...paths, executable: before.executable ? true : undefined, hunks };
  const executable = before.executable === after.executable ? undefined : after.executable;
  return hunks.length === 0 && executable === undefined ? undefined : { kind: 'modify', ...paths, executable, hunks };
}

/** Text is what holds no NUL, as for `diff` and git. */
export function isText(content: string): boolean {
  return !content.includes('\0');
}
