import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface SnapshotEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mtime: number;
  readonly mode?: number;
  readonly target?: string;
  readonly content?: string;
  readonly links?: number;
}

/** Everything below a directory, sorted by path, to be compared as a value. */
export function snapshotOf(directory: string, below = ''): SnapshotEntry[] {
  return readdirSync(join(directory, below))
    .sort()
    .flatMap((name) => {
      const path = below === '' ? name : `${below}/${name}`;
      const stat = lstatSync(join(directory, path));
      const mtime = Math.floor(stat.mtimeMs / 1000);
      const mode = stat.mode & 0o7777;
      if (stat.isSymbolicLink()) return [{ path, type: 'symlink', target: readlinkSync(join(directory, path)), mtime }];
      if (stat.isDirectory()) return [{ path, type: 'directory', mode, mtime }, ...snapshotOf(directory, path)];
      return [
        { path, type: 'file', mode, mtime, content: readFileSync(join(directory, path), 'utf8'), links: stat.nlink },
      ];
    });
}
