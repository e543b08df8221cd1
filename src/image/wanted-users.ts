import type { FileStep } from '../model/container.ts';
import type { SelectedMember } from './image-member.ts';
import type { WantedUser } from './user-tables.ts';

/** Users that packages and steps ask for, those of steps last. */
export function wantedUsers(members: readonly SelectedMember[], steps: readonly FileStep[]): WantedUser[] {
  return [
    ...members.flatMap(({ name, users }) => users.map((user) => ({ ...user, by: name }))),
    ...steps.flatMap((step) => (step.kind === 'user' ? [{ ...step, by: 'container.yaml' }] : [])),
  ];
}

/** Homes that are not made: the root itself, what Debian keeps from existing, and what engines mount. */
const NO_HOME = /^\/$|^\/(?:nonexistent|dev|proc|sys)(?:\/|$)/;

/** Those whose home is to exist, each name once: a step's word counts above a package's. */
export function usersWithHomes(wanted: readonly WantedUser[]): readonly WantedUser[] {
  const byName = new Map<string, WantedUser>();
  for (const user of wanted) if (!byName.has(user.name) || user.position !== undefined) byName.set(user.name, user);
  return [...byName.values()].filter(({ home }) => !NO_HOME.test(home));
}
