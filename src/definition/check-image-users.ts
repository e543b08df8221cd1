import type { Problems } from '../document/problems.ts';
import { append } from '../model/append.ts';
import type { ContainerDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { PackageUser } from '../model/package.ts';
import { DEBIAN_CATEGORY, packageName } from './atom.ts';
import type { UserReading } from './read-users.ts';
import type { PackageReading } from './resolve-package.ts';

/**
 * Complains of users that one image cannot have together: of packages that are in it whatever libraries turn out to be
 * needed, and of the container's own steps. What the base has in its tables is known when it is built.
 */
export function checkImageUsers(
  { steps }: Pick<ContainerDefinition, 'steps'>,
  requested: readonly string[],
  packages: ReadonlyMap<string, PackageReading>,
  problems: Problems,
): void {
  const known: (UserReading & { readonly by: string })[] = [];
  for (const name of certainMembers(requested, packages)) {
    const own = packages.get(name)!.users;
    for (const { user, node } of own) {
      const other = known.find((one) => clash(one.user, user));
      if (other === undefined) continue;
      const message = `Cannot put "${name}" beside "${other.by}": ${faultOf(user, other.user)}`;
      problems.add(node, message, { hint: HINT });
    }
    append(
      known,
      own.map((one) => ({ ...one, by: name })),
    );
  }
  for (const step of steps) {
    const other = step.kind === 'user' ? known.find((one) => clash(one.user, step)) : undefined;
    if (other === undefined || step.kind !== 'user') continue;
    const message = `Cannot add the user "${step.name}" beside those of "${other.by}": ${faultOf(step, other.user)}`;
    const hint = `give it the numbers of that package's user, or a name and numbers that no package has`;
    problems.addError(other.node, new BuilditError('definition-invalid', message, { position: step.position, hint }));
  }
}

const HINT = 'packages of one image share its /etc/passwd: give one of them another name or other numbers in "users"';

/** What is asked for, and what that says it runs. */
function certainMembers(requested: readonly string[], packages: ReadonlyMap<string, PackageReading>): Set<string> {
  const members = new Set<string>();
  const waiting = [...requested].reverse();
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const definition = packages.get(name)?.package;
    if (definition === undefined || members.has(name)) continue;
    members.add(name);
    const run = definition.dependencies.run.filter(({ category }) => category !== DEBIAN_CATEGORY);
    append(waiting, run.map(packageName));
  }
  return members;
}

function clash(a: PackageUser, b: PackageUser): boolean {
  return a.name === b.name ? a.uid !== b.uid || a.gid !== b.gid : a.uid === b.uid;
}

function faultOf(user: PackageUser, there: PackageUser): string {
  if (user.name !== there.name) {
    return `expected uid ${there.uid} for "${there.name}" alone, found it for "${user.name}"`;
  }
  return `expected "${user.name}" to have uid ${there.uid} and gid ${there.gid} as there, found uid ${user.uid} and gid ${user.gid}`;
}
