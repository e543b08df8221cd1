import { BuilditError } from '../model/errors.ts';

/**
 * Orders names so that each comes after what it needs; among those that are ready, by where they are first reached,
 * neighbours by name. Follows chains of any depth. A cycle is an error that prints it as a path.
 */
export function orderPackages(roots: readonly string[], needsOf: (name: string) => readonly string[]): string[] {
  const ordered: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  for (const root of roots) {
    const stack: { name: string; remaining: string[] }[] = [];
    const enter = (name: string) => {
      state.set(name, 'open');
      stack.push({ name, remaining: [...new Set(needsOf(name))].sort().reverse() });
    };
    if (!state.has(root)) enter(root);
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const next = top.remaining.pop();
      if (next === undefined) {
        stack.pop();
        state.set(top.name, 'done');
        ordered.push(top.name);
      } else if (state.get(next) === 'open') {
        throw cycleError([...stack.map(({ name }) => name), next]);
      } else if (!state.has(next)) {
        enter(next);
      }
    }
  }
  return ordered;
}

/** Everything reachable from the given names, themselves included, sorted. */
export function reachable(roots: readonly string[], edgesOf: (name: string) => readonly string[]): string[] {
  const seen = new Set(roots);
  const waiting = [...roots];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const next of edgesOf(name)) {
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  return [...seen].sort();
}

function cycleError(path: readonly string[]): BuilditError {
  const start = path.indexOf(path.at(-1)!);
  const cycle = path.slice(start).join(' → ');
  return new BuilditError('dependency-cycle', `Cannot order packages: ${cycle} is a cycle`, {
    hint: 'one of them has to build without the other: a flag that drops the dependency, or a package of its own for what both need',
  });
}
