import { type PathGlob, pathGlob } from './path-glob.ts';

/**
 * Reads a pattern of what `sync` leaves behind, as in .gitignore: one without a slash means a name at any depth, one that
 * begins with `./` lies directly in the source. Undefined for what is no pattern.
 */
export function excludeGlob(pattern: string): PathGlob | undefined {
  const whole = pattern.replace(/\/$/, '');
  const glob = pathGlob(whole.replace(/^\.\//, ''));
  if (glob === undefined || whole.includes('/')) return glob;
  return (path) => glob(path.slice(path.lastIndexOf('/') + 1));
}
