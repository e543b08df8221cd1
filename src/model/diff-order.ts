import type { FilePatch } from './patch.ts';

/**
 * Whether the files of one diff of git mean something else when they are changed one after the other: one is read after
 * another has changed it, or takes a name before another has given it up.
 */
export function dependsOnOrder(files: readonly FilePatch[]): boolean {
  const lastVacated = new Map(files.flatMap((file, index) => (vacates(file) ? [[file.oldPath, index] as const] : [])));
  const sorted = [...lastVacated.keys()].sort();
  const touched = new Map<string, 'written' | 'vacated'>();
  return files.some((file, index) => {
    const { kind, oldPath, newPath } = file;
    const isMove = kind === 'rename' || kind === 'copy';
    if (isMove && touched.has(oldPath)) return true;
    if ((kind === 'modify' || kind === 'delete') && touched.get(oldPath) === 'vacated') return true;
    if (isMove || kind === 'create') {
      if ((lastVacated.get(newPath) ?? -1) > index || holdsOneOf(newPath, sorted)) return true;
    }
    if (vacates(file)) touched.set(oldPath, 'vacated');
    if (kind !== 'delete') touched.set(newPath, 'written');
    return false;
  });
}

function vacates({ kind }: FilePatch): boolean {
  return kind === 'delete' || kind === 'rename';
}

/** Whether one of some sorted paths lies below another path. */
function holdsOneOf(path: string, sorted: readonly string[]): boolean {
  const prefix = `${path}/`;
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < prefix) low = middle + 1;
    else high = middle;
  }
  return sorted[low]?.startsWith(prefix) === true;
}
