/** A change of one file. Paths are clean and relative; texts of lines are latin1, one character a byte. */
export interface FilePatch {
  readonly kind: 'modify' | 'create' | 'delete' | 'rename' | 'copy';
  /** Where the old content is; for `create` the same as `newPath`. */
  readonly oldPath: string;
  /** Where the new content goes; for `delete` the same as `oldPath`. */
  readonly newPath: string;
  /** Whether the file becomes executable, or was where it is deleted; undefined leaves it as it is, new files are not. */
  readonly executable: boolean | undefined;
  /** It is about a symbolic link, whose content is its text. Without hunks, a rename or copy takes what is there. */
  readonly isLink?: boolean | undefined;
  /**
   * Files with the same number belong to one diff of git: old names mean the files before that diff. A file without one
   * is changed as those before it left it.
   */
  readonly diff?: number | undefined;
  readonly hunks: readonly Hunk[];
}

/** One change within a file. Old lines are context and removed ones, new lines are context and added ones. */
export interface Hunk {
  /** Line of the first old line, counting from 1; of the line before where there are no old lines. */
  readonly oldStart: number;
  readonly lines: readonly HunkLine[];
}

export interface HunkLine {
  readonly kind: 'context' | 'removed' | 'added';
  /** With its line end, unless it is the file's last and has none. */
  readonly text: string;
}

export function oldLines(hunk: Hunk): readonly HunkLine[] {
  return hunk.lines.filter(({ kind }) => kind !== 'added');
}

export function newLines(hunk: Hunk): readonly HunkLine[] {
  return hunk.lines.filter(({ kind }) => kind !== 'removed');
}
