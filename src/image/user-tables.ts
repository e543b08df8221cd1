import type { FileOwner } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { PackageUser } from '../model/package.ts';
import type { SourcePosition } from '../model/source-position.ts';
import { DEBIAN_GROUPS, DEBIAN_USERS } from './base-passwd.ts';

/** A user to be made, and who asks for it. */
export interface WantedUser extends PackageUser {
  /** `www-servers/nginx`, or `container.yaml`. */
  readonly by: string;
  readonly position?: SourcePosition | undefined;
}

/** The text of /etc/passwd and /etc/group, and of /etc/shadow where the base has one. */
export interface UserTables {
  readonly passwd: string;
  readonly group: string;
  readonly shadow: string | undefined;
}

/**
 * Adds the users and groups that every Debian system has. One gives way where the base, a package or a step has its name
 * or, for a user, its number.
 */
export function addDebianUsers(tables: UserTables, wanted: readonly WantedUser[]): UserTables {
  const [passwd, group] = [parseTable(tables.passwd), parseTable(tables.group)];
  const shadow = tables.shadow === undefined ? undefined : parseTable(tables.shadow);
  const names = new Set([...passwd.map(([name]) => name), ...wanted.map(({ name }) => name)]);
  const numbers = new Set([...passwd.map(([, , uid]) => uid), ...wanted.map(({ uid }) => `${uid}`)]);
  for (const line of parseTable(DEBIAN_USERS.join('\n'))) {
    const [name = '', , uid] = line;
    if (names.has(name) || numbers.has(uid)) continue;
    passwd.push(line);
    if (shadow !== undefined && !shadow.some(([other]) => other === name)) {
      shadow.push([name, '*', '', '', '', '', '', '', '']);
    }
  }
  const groupNames = new Set([...group.map(([name]) => name), ...wanted.map(({ name }) => name)]);
  const groupNumbers = new Set(group.map(([, , gid]) => gid));
  for (const [name, gid] of Object.entries(DEBIAN_GROUPS)) {
    if (groupNames.has(name) || groupNumbers.has(`${gid}`)) continue;
    group.push([name, 'x', `${gid}`, '']);
    // Whoever has it as a group of their own finds it by their name, too: group(5) allows two names for a number.
    for (const user of wanted) if (user.gid === gid) group.push([user.name, 'x', `${gid}`, '']);
  }
  return { passwd: tableText(passwd), group: tableText(group), shadow: shadow && tableText(shadow) };
}

/**
 * Adds users and their groups to the tables of the base. A user who is there already with the same numbers is changed
 * only by a container's own step; other numbers under the same name, or another name for a user's number, are errors.
 */
export function addUsers(tables: UserTables, wanted: readonly WantedUser[]): UserTables {
  const passwd = parseTable(tables.passwd);
  const group = parseTable(tables.group);
  const shadow = tables.shadow === undefined ? undefined : parseTable(tables.shadow);
  const askedBy = new Map<string, string>();
  for (const user of wanted) {
    checkFree(passwd, user, askedBy);
    const line = [user.name, 'x', `${user.uid}`, `${user.gid}`, user.name, user.home, user.shell];
    const known = passwd.findIndex(([name]) => name === user.name);
    if (known < 0) passwd.push(line);
    else if (user.position !== undefined) passwd[known] = line;
    askedBy.set(user.name, user.by);
    if (!group.some(([, , gid]) => gid === `${user.gid}`)) {
      if (group.some(([name]) => name === user.name)) throw takenGroup(user, group);
      group.push([user.name, 'x', `${user.gid}`, '']);
    }
    if (shadow !== undefined && !shadow.some(([name]) => name === user.name)) {
      shadow.push([user.name, '!', '', '', '', '', '', '', '']);
    }
  }
  return { passwd: tableText(passwd), group: tableText(group), shadow: shadow && tableText(shadow) };
}

/** Looks up an owner's names or numbers. An empty group is the user's own. */
export function findOwner(
  { passwd, group }: UserTables,
  owner: FileOwner,
  position: SourcePosition | undefined,
): { uid: number; gid: number } {
  const users = parseTable(passwd);
  const user = users.find(([name]) => name === owner.user);
  const uid = numberOf(owner.user) ?? (owner.user === 'root' ? 0 : numberOf(user?.[2]));
  if (uid === undefined) throw unknownOwner('user', owner.user, users, position);
  if (owner.group === '') {
    const gid = numberOf((user ?? users.find(([, , number]) => number === `${uid}`))?.[3]);
    return { uid, gid: gid ?? (owner.user === 'root' ? 0 : uid) };
  }
  const groups = parseTable(group);
  const gid =
    numberOf(owner.group) ??
    (owner.group === 'root' ? 0 : numberOf(groups.find(([name]) => name === owner.group)?.[2]));
  if (gid === undefined) throw unknownOwner('group', owner.group, groups, position);
  return { uid, gid };
}

/** The home of a user who is in the tables. */
export function homeOf({ passwd }: UserTables, uid: number): string | undefined {
  const home = parseTable(passwd).find(([, , number]) => number === `${uid}`)?.[5];
  return home === '' ? undefined : home;
}

/** Tells whether a name or number as OCI's `user` has it (`nginx`, `101`, `nginx:nginx`) can be found in the tables. */
export function hasOwner(tables: UserTables, text: string): boolean {
  const [user = '', group = ''] = text.split(':');
  try {
    findOwner(tables, { user, group }, undefined);
    return true;
  } catch {
    return false;
  }
}

function checkFree(passwd: readonly string[][], user: WantedUser, askedBy: ReadonlyMap<string, string>): void {
  const clash = passwd.find(
    ([name, , uid, gid]) =>
      (name === user.name && (uid !== `${user.uid}` || gid !== `${user.gid}`)) ||
      (name !== user.name && uid === `${user.uid}`),
  );
  if (clash === undefined) return;
  const [name = '', , uid, gid] = clash;
  const owner = askedBy.get(name) ?? 'the base';
  throw new BuilditError(
    user.position === undefined ? 'path-conflict' : 'definition-invalid',
    `Cannot add user "${user.name}" (uid ${user.uid}, gid ${user.gid}) of ${user.by}: ${owner} has ${printable(name)} with uid ${uid}, gid ${gid}`,
    { position: user.position },
  );
}

function takenGroup(user: WantedUser, group: readonly string[][]): BuilditError {
  const gid = group.find(([name]) => name === user.name)?.[2];
  return new BuilditError(
    user.position === undefined ? 'path-conflict' : 'definition-invalid',
    `Cannot add user "${user.name}" of ${user.by}: expected group ${user.name} to have gid ${user.gid}, found ${printable(gid ?? '')}`,
    { position: user.position },
  );
}

function unknownOwner(
  kind: 'user' | 'group',
  name: string,
  table: readonly string[][],
  position: SourcePosition | undefined,
): BuilditError {
  const system = new Set(
    kind === 'group' ? Object.keys(DEBIAN_GROUPS) : DEBIAN_USERS.map((line) => line.split(':')[0]),
  );
  const names = table.flatMap(([other]) => (other === undefined ? [] : [other]));
  const own = names.filter((other) => other === 'root' || !system.has(other)).map(printable);
  const rest = names.length - own.length;
  const known = rest === 0 ? own : [...own, `${rest} of every Debian system`];
  return new BuilditError(
    'definition-invalid',
    `Cannot find ${kind} "${printable(name)}" in the image: ${known.length === 0 ? 'it has none' : `found ${known.join(', ')}`}`,
    { position, hint: `a "user" step adds one, and numbers always work` },
  );
}

function parseTable(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}

function tableText(lines: readonly string[][]): string {
  return lines.map((fields) => `${fields.join(':')}\n`).join('');
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1 ? Number(text) : undefined;
}
