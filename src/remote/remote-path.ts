import { isCleanRelativePath, printable } from '../model/names.ts';

/** A path below a place, as buildit makes them itself; anything else is a mistake of the caller. */
export function checkedRemotePath(path: string): string {
  const clean = isCleanRelativePath(path) && printable(path) === path && !path.includes('\\');
  if (!clean) throw new TypeError(`"${printable(path)}" is not a path below a place`);
  return path;
}

/** `a/b/c` → `a`, `a/b`. */
export function parentDirectories(path: string): readonly string[] {
  const elements = path.split('/').slice(0, -1);
  return elements.map((_, index) => elements.slice(0, index + 1).join('/'));
}
