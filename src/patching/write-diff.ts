import { formatHunks } from '../model/normalise-patch.ts';
import type { FilePatch } from '../model/patch.ts';
import { quotedName, writeHeaderName } from '../model/patch-path.ts';

/**
 * Writes changes (creations, deletions, modifications) as a diff that buildit, git, `patch` and quilt read, in latin1: by
 * path, without times and index lines, so that the same changes have the same bytes. `strip` is how many elements a
 * reader takes off the names.
 */
export function writeDiff(files: readonly FilePatch[], strip: number): string {
  const sorted = files.toSorted((a, b) => Buffer.compare(Buffer.from(a.newPath), Buffer.from(b.newPath)));
  const isGit = sorted.some(needsGit);
  return sorted.map((file) => writeFilePatch(file, strip, isGit)).join('');
}

/** Where one file needs a header of git's, all have one: readers take what follows it for a part of the same file. */
function writeFilePatch(file: FilePatch, strip: number, isGit: boolean): string {
  const { kind, newPath: path, hunks } = file;
  const [older, newer] = [prefix('a', strip) + path, prefix('b', strip) + path];
  const git = isGit ? `diff --git ${quotedName(older)} ${quotedName(newer)}\n${extendedLines(file)}` : '';
  if (hunks.length === 0) return git;
  const oldName = kind === 'create' ? '/dev/null' : writeHeaderName(older);
  const newName = kind === 'delete' ? '/dev/null' : writeHeaderName(newer);
  return `${git}--- ${oldName}\n+++ ${newName}\n${formatHunks(hunks)}`;
}

function prefix(letter: string, strip: number): string {
  return `${letter}/`.repeat(strip);
}

/** What hunks cannot say: modes, and that an empty file comes or goes. */
function needsGit({ kind, executable, hunks }: FilePatch): boolean {
  if (kind === 'modify') return executable !== undefined;
  return hunks.length === 0 || (kind === 'create' && executable === true);
}

/** Below a header of git's, git takes `/dev/null` for a file unless the mode says that one comes or goes. */
function extendedLines({ kind, executable }: FilePatch): string {
  const mode = (isExecutable: boolean) => (isExecutable ? '100755' : '100644');
  if (kind === 'create') return `new file mode ${mode(executable === true)}\n`;
  if (kind === 'delete') return `deleted file mode ${mode(executable === true)}\n`;
  return executable === undefined ? '' : `old mode ${mode(!executable)}\nnew mode ${mode(executable)}\n`;
}
