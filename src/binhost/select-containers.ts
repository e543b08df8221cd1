import { type ContainerEntry, containerTitle } from './container-entry.ts';

/**
 * The containers that a typed text means, the latest first: a title or a name, alone or with `-VERSION` or `:VERSION`
 * behind it.
 */
export function selectContainers(containers: readonly ContainerEntry[], typed: string): readonly ContainerEntry[] {
  return containers
    .filter((entry) =>
      [containerTitle(entry), entry.name].some(
        (name) => typed === name || typed === `${name}-${entry.version}` || typed === `${name}:${entry.version}`,
      ),
    )
    .sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
}
