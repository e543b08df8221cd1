import type { LinkNode } from './patched-tree.ts';

/** PATH_MAX of Linux. */
const MAXIMUM_BYTES = 4096;

/** Whether the text of a symbolic link is a path from its place that stays below the source, by its elements alone. */
export function isLinkInside({ at, target }: LinkNode): boolean {
  if (target === '' || target.startsWith('/') || target.length > MAXIMUM_BYTES) return false;
  if (/[\u0000-\u001f\u007f]/.test(target)) return false;
  let depth = at.split('/').length - 1;
  for (const element of target.split('/')) {
    if (element === '..') depth -= 1;
    else if (element !== '' && element !== '.') depth += 1;
    if (depth < 0) return false;
  }
  return true;
}
