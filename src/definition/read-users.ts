import { mapsAt, scalarAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import type { YamlMap } from '../document/yaml-node.ts';
import type { PackageUser } from '../model/package.ts';
import { readUser } from './read-user.ts';

/** A user that a recipe asks for, and where it says so. */
export interface UserReading {
  readonly user: PackageUser;
  readonly node: YamlMap;
}

/** The users of a recipe, each name and number once; uid 0 is root's, and root has no other. */
export function readUsers(root: YamlMap, problems: Problems): readonly UserReading[] {
  const users: UserReading[] = [];
  for (const node of mapsAt(root, 'users')) {
    const user = readUser(node, 'users', problems);
    if (user === undefined) continue;
    const { name, uid } = user;
    const [nameNode, uidNode] = [scalarAt(node, 'name') ?? node, scalarAt(node, 'uid') ?? node];
    const namesake = users.find((other) => other.user.name === name);
    const twin = users.find((other) => other.user.uid === uid);
    if (namesake !== undefined) {
      problems.add(nameNode, `Cannot read "users": expected each name once, found "${name}" again`);
    } else if (name === 'root' && uid !== 0) {
      problems.add(uidNode, `Cannot read "users": expected root to have uid 0, found ${uid}`);
    } else if (name !== 'root' && uid === 0) {
      const hint = 'the kernel takes whoever has uid 0 for root';
      problems.add(uidNode, `Cannot read "users": expected uid 0 for root alone, found it for "${name}"`, { hint });
    } else if (twin !== undefined) {
      const message = `Cannot read "users": expected each uid once, found ${uid} for "${twin.user.name}" and "${name}"`;
      problems.add(uidNode, message);
    }
    users.push({ user, node });
  }
  return users;
}
