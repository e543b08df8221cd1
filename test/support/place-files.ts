import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { WritablePlace } from '../remote/remote-place.suite.ts';

/** Looks into a place's directory, and changes it behind the place's back, as that account. */
export function filesBelow(
  directory: string,
  account?: { readonly uid: number; readonly gid: number },
): WritablePlace['files'] {
  const at = (path: string) => join(directory, path);
  const own = (path: string) => {
    if (account !== undefined && process.getuid?.() === 0) lchownSync(path, account.uid, account.gid);
  };
  const makeParents = (path: string) => {
    const parent = dirname(path);
    if (lstatSync(parent, { throwIfNoEntry: false }) !== undefined) return;
    makeParents(parent);
    mkdirSync(parent);
    own(parent);
  };
  return {
    read: (path) => readFileSync(at(path)),
    list: (path) => {
      try {
        return readdirSync(at(path)).toSorted();
      } catch {
        return [];
      }
    },
    write: (path, bytes) => {
      makeParents(at(path));
      writeFileSync(at(path), bytes);
      own(at(path));
    },
    symlink: (target, path) => {
      makeParents(at(path));
      symlinkSync(target, at(path));
      own(at(path));
    },
    chmod: (path, mode) => chmodSync(at(path), mode),
    mtime: (path) => statSync(at(path)).mtimeMs / 1000,
    setMtime: (path, seconds) => utimesSync(at(path), seconds, seconds),
  };
}
