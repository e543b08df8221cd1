import { append } from '../model/append.ts';

/**
 * Dependencies before dependants, ties by name. Packages that depend on each other in a circle (libc6 and libgcc-s1 do)
 * stay together, by name.
 */
export function orderMembers(names: readonly string[], dependenciesOf: (name: string) => readonly string[]): string[] {
  const circles = findCircles(names, dependenciesOf);
  const circleOf = new Map(circles.flatMap((circle) => circle.map((name) => [name, circle] as const)));
  const awaited: ReadonlyMap<Circle, Set<Circle>> = new Map(
    circles.map((circle) => {
      const others = circle.flatMap(dependenciesOf).flatMap((name) => [circleOf.get(name)].filter(isDefined));
      return [circle, new Set(others.filter((other) => other !== circle))] as const;
    }),
  );
  const dependants = new Map<Circle, Circle[]>(circles.map((circle) => [circle, []]));
  for (const [circle, others] of awaited) for (const other of others) dependants.get(other)!.push(circle);

  const ready = circles.filter((circle) => awaited.get(circle)!.size === 0);
  const order: string[] = [];
  while (ready.length > 0) {
    ready.sort((a, b) => compareNames(a[0]!, b[0]!));
    const circle = ready.shift()!;
    append(order, circle);
    for (const dependant of dependants.get(circle)!) {
      const left = awaited.get(dependant)!;
      left.delete(circle);
      if (left.size === 0) ready.push(dependant);
    }
  }
  return order;
}

type Circle = readonly string[];

/** Strongly connected components (Tarjan 1972), without recursion; each sorted by name. */
function findCircles(names: readonly string[], dependenciesOf: (name: string) => readonly string[]): Circle[] {
  const known = new Set(names);
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const circles: Circle[] = [];

  const enter = (name: string) => {
    index.set(name, index.size);
    lowest.set(name, index.get(name)!);
    stack.push(name);
    onStack.add(name);
    return { name, rest: dependenciesOf(name).filter((dependency) => known.has(dependency)) };
  };
  const lower = (name: string, value: number) => lowest.set(name, Math.min(lowest.get(name)!, value));

  for (const start of [...names].sort(compareNames)) {
    if (index.has(start)) continue;
    const path = [enter(start)];
    while (path.length > 0) {
      const { name, rest } = path.at(-1)!;
      const next = rest.pop();
      if (next !== undefined) {
        if (!index.has(next)) path.push(enter(next));
        else if (onStack.has(next)) lower(name, index.get(next)!);
        continue;
      }
      path.pop();
      if (path.length > 0) lower(path.at(-1)!.name, lowest.get(name)!);
      if (lowest.get(name) !== index.get(name)) continue;
      const circle = stack.splice(stack.indexOf(name));
      for (const member of circle) onStack.delete(member);
      circles.push(circle.sort(compareNames));
    }
  }
  return circles;
}

function isDefined<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}

function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
