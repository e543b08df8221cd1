/**
 * Finds a cycle in a graph: the names along it, the first one again at the end, or undefined where there is none. Which
 * cycle is found depends on names only. Takes as many steps as there are edges and no stack.
 */
export function findDependencyCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const finished = new Set<string>();
  for (const start of [...edges.keys()].sort()) {
    if (finished.has(start)) continue;
    const path: { readonly name: string; readonly next: string[] }[] = [];
    const onPath = new Set<string>();
    const enter = (name: string) => {
      path.push({ name, next: [...(edges.get(name) ?? [])].sort().reverse() });
      onPath.add(name);
    };
    enter(start);
    while (path.length > 0) {
      const { name, next } = path.at(-1)!;
      const target = next.pop();
      if (target === undefined) {
        path.pop();
        onPath.delete(name);
        finished.add(name);
      } else if (onPath.has(target)) {
        const names = path.map((step) => step.name);
        return [...names.slice(names.indexOf(target)), target];
      } else if (!finished.has(target)) {
        enter(target);
      }
    }
  }
  return undefined;
}
