import { dependsOnOrder } from './diff-order.ts';
import { diffMark, parsePatch } from './parse-patch.ts';
import { type FilePatch, type Hunk, type HunkLine, newLines, oldLines } from './patch.ts';
import { quotedName, writeHeaderName } from './patch-path.ts';

/**
 * Writes a patch (latin1) in the one form that its digest is taken of and that is applied, with `-p0`: nothing but the
 * changes, so that neither a forge's index lines nor times, descriptions or section names make a difference.
 * `parseNormalisedPatch` reads it; `formatPatch` of that is the same text again.
 */
export function normalisePatch(text: string, strip: number, label?: string): string {
  return formatPatch(parsePatch(text, strip, label));
}

export function formatPatch(files: readonly FilePatch[]): string {
  return diffsOf(files).map(formatDiff).join('');
}

/** Files of one diff of git are together, all others alone. */
export function diffsOf(files: readonly FilePatch[]): readonly (readonly FilePatch[])[] {
  const diffs: FilePatch[][] = [];
  for (const file of files) {
    const last = diffs.at(-1);
    if (last !== undefined && file.diff !== undefined && last[0]!.diff === file.diff) last.push(file);
    else diffs.push([file]);
  }
  return diffs;
}

/** A diff is marked only where it means something else when its files are changed one after the other. */
function formatDiff(files: readonly FilePatch[]): string {
  const mark = files.length > 1 && dependsOnOrder(files) ? `${diffMark(files.length)}\n` : '';
  return `${mark}${files.map(formatFile).join('')}`;
}

function formatFile(file: FilePatch): string {
  const { kind, oldPath, newPath, executable, hunks } = file;
  const extended = extendedHeader(file);
  const needsGit = extended !== '' || hunks.length === 0;
  const git = needsGit ? `diff --git ${quotedName(oldPath)} ${quotedName(newPath)}\n${extended}` : '';
  if (hunks.length === 0 && extended === '') {
    return `${git}${kind === 'delete' ? 'deleted' : 'new'} file mode ${executable ? '100755' : '100644'}\n`;
  }
  if (hunks.length === 0) return git;
  const older = kind === 'create' ? '/dev/null' : writeHeaderName(oldPath);
  const newer = kind === 'delete' ? '/dev/null' : writeHeaderName(newPath);
  return `${git}--- ${older}\n+++ ${newer}\n${formatHunks(hunks)}`;
}

/** Only what the hunks do not say: a new file without the executable bit says it by being new. */
function extendedHeader({ kind, oldPath, newPath, executable, isLink }: FilePatch): string {
  const mode = isLink === true ? LINK_MODE : executable ? '100755' : '100644';
  switch (kind) {
    case 'create':
      return executable === true || isLink === true ? `new file mode ${mode}\n` : '';
    case 'delete':
      return isLink === true ? `deleted file mode ${mode}\n` : '';
    case 'modify':
      if (isLink === true) return LINK_MODES;
      return executable === undefined ? '' : `new mode ${mode}\n`;
    case 'rename':
    case 'copy': {
      const names = `${kind} from ${quotedName(oldPath)}\n${kind} to ${quotedName(newPath)}\n`;
      if (isLink === true) return `${LINK_MODES}${names}`;
      return executable === undefined ? names : `new mode ${mode}\n${names}`;
    }
  }
}

const LINK_MODE = '120000';
const LINK_MODES = `old mode ${LINK_MODE}\nnew mode ${LINK_MODE}\n`;

export function formatHunks(hunks: readonly Hunk[]): string {
  let shift = 0;
  return hunks
    .map((hunk) => {
      const removed = oldLines(hunk).length;
      const added = newLines(hunk).length;
      // A side without lines names the line before it (POSIX diff -u).
      const newStart = hunk.oldStart + shift + (removed === 0 ? 1 : 0) - (added === 0 ? 1 : 0);
      shift += added - removed;
      return `@@ -${hunk.oldStart},${removed} +${Math.max(0, newStart)},${added} @@\n${hunk.lines.map(formatLine).join('')}`;
    })
    .join('');
}

function formatLine({ kind, text }: HunkLine): string {
  const mark = { context: ' ', removed: '-', added: '+' }[kind];
  return text.endsWith('\n') ? `${mark}${text}` : `${mark}${text}\n\\ No newline at end of file\n`;
}
