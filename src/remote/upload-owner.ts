import { hostname } from 'node:os';
import { sha256 } from '../model/digest.ts';
import { userId } from '../system/user-directories.ts';

/** Tells the unfinished uploads of this user on this machine from those of others, without naming either. */
export function uploadOwner(): string {
  return sha256(`${hostname()}\n${userId()}`).slice(0, 16);
}
