import { chownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Whom a program is run as; undefined: whoever runs the tests. */
export type User = { readonly uid: number; readonly gid: number } | undefined;

export const testsRunAsRoot = process.getuid?.() === 0;

/**
 * An ordinary user without an entry in /etc/passwd. Each run of a test file has uids of its own, so that a process that
 * was left behind can be told by its uid. An ordinary user who runs the tests is all the users there are.
 */
export function ordinaryUser(number: number): User {
  const uid = 20_000 + (process.pid % 5_000) * 8 + number;
  return testsRunAsRoot ? { uid, gid: uid } : undefined;
}

/** Makes a directory and all in it somebody's own. */
export function giveTo(user: User, path: string): void {
  if (user === undefined) return;
  chownSync(path, user.uid, user.gid);
  if (!lstatSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) giveTo(user, join(path, name));
}

/** The command that becomes a user for good, without any of root's groups and rights. */
export function asUser(user: User): readonly string[] {
  if (user === undefined) return [];
  return ['setpriv', '--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups', '--inh-caps=-all'];
}
