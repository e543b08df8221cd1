import { realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { isCleanRelativePath } from '../model/names.ts';

export type InsidePath =
  /** `path` is absolute with every link resolved. */
  | { readonly kind: 'file' | 'directory'; readonly path: string }
  | { readonly kind: 'missing'; readonly path: string }
  /** A link leads out of the directory. */
  | { readonly kind: 'outside' }
  /** A device, a pipe or a socket. */
  | { readonly kind: 'other' };

/**
 * A path as written in a file (`./files/nginx.conf`, `pkgs/nginx/`) without the leading `./` and the trailing slash, or
 * undefined when it could leave its directory: absolute, with `..`, with an empty element.
 */
export function cleanRelativePath(written: string): string | undefined {
  const path = written.replace(/^(?:\.\/)+/, '').replace(/\/$/, '');
  return isCleanRelativePath(path) ? path : undefined;
}

/**
 * Finds what a clean relative path means below a directory; symbolic links may not lead out of it. Synchronous calls
 * inside, as wherever definitions are read: for thousands of small files awaited ones take several times as long.
 */
export async function resolveInside(directory: string, relative: string): Promise<InsidePath> {
  if (!isCleanRelativePath(relative)) throw new TypeError(`Cannot resolve "${relative}": not a clean relative path`);
  const path = join(directory, relative);
  try {
    const root = realpathSync.native(directory);
    const resolved = realpathSync.native(path);
    if (!resolved.startsWith(root === sep ? sep : root + sep)) return { kind: 'outside' };
    const status = statSync(resolved);
    if (status.isFile()) return { kind: 'file', path: resolved };
    return status.isDirectory() ? { kind: 'directory', path: resolved } : { kind: 'other' };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', path };
    if (code === 'ELOOP' || code === 'EACCES' || code === 'ENAMETOOLONG') return { kind: 'other' };
    throw cause;
  }
}
