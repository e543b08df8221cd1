export interface PlannedMember {
  readonly name: string;
  /** Bytes of the uncompressed layer. */
  readonly size: number;
}

export interface LayerPlan {
  /** Indexes into the members: which share each layer, in the order of layers. Alone is the usual case. */
  readonly layers: readonly (readonly number[])[];
  /** Names of packages that share a layer, to be kept in the lock and given as `previous` the next time. */
  readonly shared: readonly (readonly string[])[];
}

/** A shared layer is made again when one of its packages changes: this many bear with each other at first. */
const SHARED_BY = 8;

/**
 * Decides which packages share layers, so that there are at most `budget`. Who shared before goes on sharing; beyond that
 * the smallest packages are put together. The base, the first member, has a layer of its own unless the budget is 1. Pure.
 */
export function planLayers(
  members: readonly PlannedMember[],
  budget: number,
  previous: readonly (readonly string[])[],
): LayerPlan {
  // No choice to remember: who shared before shares again when there is more room.
  if (budget <= 1) return { layers: members.length === 0 ? [] : [members.map((_, index) => index)], shared: previous };
  const groups = formerGroups(members, previous);
  const grouped = new Set(groups.flat());
  const singles = members
    .map((_, index) => index)
    .filter((index) => index > 0 && !grouped.has(index))
    .sort((a, b) => members[b]!.size - members[a]!.size || (members[a]!.name < members[b]!.name ? -1 : 1));
  const limit = groupLimit(members.length - 1, budget - 1);
  while (1 + singles.length + groups.length > budget && singles.length > 0) {
    joinSmallest(groups, singles, limit);
  }
  while (1 + groups.length > budget && groups.length > 1) groups.push([...groups.pop()!, ...groups.pop()!]);
  return arrange(members, groups);
}

/** Groups of the last time, less what is gone; a package that is left alone has a layer of its own again. */
function formerGroups(members: readonly PlannedMember[], previous: readonly (readonly string[])[]): number[][] {
  const indexes = new Map(members.map(({ name }, index) => [name, index]));
  indexes.delete(members[0]?.name ?? '');
  const groups = previous.map((names) =>
    names.flatMap((name) => {
      const index = indexes.get(name);
      indexes.delete(name);
      return index === undefined ? [] : [index];
    }),
  );
  return groups.filter((group) => group.length > 1);
}

/** How many may share a layer, so that at least half of the budget is left for packages of their own. */
function groupLimit(packages: number, budget: number): number {
  return Math.max(SHARED_BY, Math.ceil(packages / Math.max(1, Math.floor(budget / 2))));
}

/** Takes the smallest package that has a layer of its own into a group with room, else starts one with the next. */
function joinSmallest(groups: number[][], singles: number[], limit: number): void {
  const smallest = singles.pop()!;
  const roomy = groups.find((group) => group.length < limit);
  if (roomy !== undefined) roomy.push(smallest);
  else if (singles.length > 0) groups.push([smallest, singles.pop()!]);
  else if (groups.length > 0) groups.at(-1)!.push(smallest);
  else groups.push([smallest]);
}

function arrange(members: readonly PlannedMember[], groups: readonly (readonly number[])[]): LayerPlan {
  const sorted = groups.map((group) => [...group].sort((a, b) => a - b));
  const groupOf = new Map(sorted.flatMap((group) => group.map((index) => [index, group] as const)));
  const layers = members.flatMap((_, index) => {
    const group = groupOf.get(index) ?? [index];
    return group[0] === index ? [group] : [];
  });
  const shared = layers.filter((group) => group.length > 1).map((group) => group.map((index) => members[index]!.name));
  return { layers, shared };
}
