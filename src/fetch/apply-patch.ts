import type { BuilditError } from '../model/errors.ts';
import { parseNormalisedPatch } from '../model/parse-patch.ts';
import { type FilePatch, type Hunk, newLines, oldLines } from '../model/patch.ts';
import { applyLoosePatch, type LooseOptions } from './apply-loose-patch.ts';
import { reverseHunk } from './match-hunk.ts';
import { alreadyAppliedError, laboriousError, type Reject, rejectedError } from './patch-rejects.ts';
import { writeChanges } from './patched-tree.ts';
import { tryPatch } from './try-patch.ts';

export interface PatchToApply {
  /** Names the patch in messages: `pkgs/nginx/patches/port-crypt.patch`. */
  readonly label: string;
  /** Normalised (see `normalisePatch`), latin1. */
  readonly text: string;
}

export interface ApplyOptions {
  /** What `buildit shell` is given to open the tree: `pkgs/nginx`. */
  readonly shell?: string | undefined;
  /** Time of every file written, in seconds; the current time by default. */
  readonly time?: number | undefined;
  /** The patches belong to a source package of Debian: they are not normalised, and give what dpkg-source(1) leaves. */
  readonly ofDebian?: Pick<LooseOptions, 'removesEmpty' | 'backups'> | undefined;
  /** Told when a hunk lies elsewhere than its patch says. */
  readonly onNotice?: ((text: string) => void) | undefined;
}

/**
 * Applies patches to a source tree in order, each as a whole or not at all, byte for byte (fuzz 0); a hunk may have
 * moved when its lines are found exactly once. Nothing outside the tree is touched and no symbolic link followed.
 * Throws `patch-rejected` with every hunk that does not fit.
 */
export async function applyPatches(
  directory: string,
  patches: readonly PatchToApply[],
  options: ApplyOptions = {},
): Promise<void> {
  const { ofDebian } = options;
  for (const patch of patches) {
    if (ofDebian === undefined) await applyPatch(directory, patch, options);
    else await applyLoosePatch(directory, patch, { ...options, ...ofDebian });
  }
}

async function applyPatch(directory: string, patch: PatchToApply, options: ApplyOptions): Promise<void> {
  const { moved, error } = await attemptPatch(directory, patch, options);
  if (error !== undefined) throw error;
  if (moved.length > 0) options.onNotice?.(`"${patch.label}" fits elsewhere than it says: ${moved.join(', ')}`);
}

/** How one patch fared with a tree. */
export interface PatchOutcome {
  readonly files: readonly FilePatch[];
  /** Hunks that lie elsewhere than the patch says: `hunk 1 of src/x.c by 3 lines`. */
  readonly moved: readonly string[];
  /** What does not fit, where that can be told by hunk. */
  readonly rejects: readonly Reject[];
  /** Every change is in the tree already. */
  readonly isApplied: boolean;
  /** What keeps it from being applied; undefined: it was. */
  readonly error: BuilditError | undefined;
}

/** Applies a patch as a whole, or tells what is in its way and changes nothing. */
export async function attemptPatch(
  directory: string,
  { label, text }: PatchToApply,
  options: Pick<ApplyOptions, 'shell' | 'time'> = {},
): Promise<PatchOutcome> {
  const files = parseNormalisedPatch(text, label);
  const { tree, rejects, moved, effort } = await tryPatch(directory, files);
  const outcome = { files, moved, rejects, isApplied: false };
  if (effort.comparisons <= 0) return { ...outcome, error: laboriousError(label) };
  if (rejects.length > 0) {
    const backwards = await tryPatch(directory, reversed(files));
    const paths = [...new Set(files.map(({ newPath }) => newPath))];
    const isApplied = backwards.rejects.length === 0;
    const error = isApplied ? alreadyAppliedError(label, paths) : rejectedError(label, rejects, options.shell);
    return { ...outcome, isApplied, error };
  }
  await writeChanges(tree, options.time);
  return { ...outcome, error: undefined };
}

/** The patch that takes this one back. Executable bits are left alone: they do not tell what was applied. */
function reversed(files: readonly FilePatch[]): FilePatch[] {
  const kinds = { modify: 'modify', create: 'delete', delete: 'create', rename: 'rename', copy: 'delete' } as const;
  return files.toReversed().map(({ kind, oldPath, newPath, isLink, diff, hunks }) => ({
    kind: kinds[kind],
    oldPath: newPath,
    newPath: kind === 'copy' ? newPath : oldPath,
    executable: undefined,
    isLink,
    diff,
    hunks: reversedHunks(hunks),
  }));
}

function reversedHunks(hunks: readonly Hunk[]): Hunk[] {
  let shift = 0;
  return hunks.map((hunk) => {
    const added = newLines(hunk).length;
    const removed = oldLines(hunk).length;
    const start = hunk.oldStart + shift + (removed === 0 ? 1 : 0) - (added === 0 ? 1 : 0);
    shift += added - removed;
    return reverseHunk(hunk, Math.max(0, start));
  });
}
