import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findDependencyCycle } from '../../src/definition/dependency-cycle.ts';

const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

test('a graph without a cycle has none, also where paths meet again', () => {
  expect(findDependencyCycle(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toBeUndefined();
});

test('a cycle is told as a path that ends where it began', () => {
  expect(findDependencyCycle(graph({ a: ['b'], b: ['c'], c: ['d', 'b'], d: [] }))).toEqual(['b', 'c', 'b']);
  expect(findDependencyCycle(graph({ a: ['a'] }))).toEqual(['a', 'a']);
});

test('which cycle is told depends on names, not on the order of the graph', () => {
  const edges = { x: ['y'], y: ['x'], a: ['b'], b: ['a'] };
  const reversed = new Map(Object.entries(edges).reverse());
  expect(findDependencyCycle(reversed)).toEqual(findDependencyCycle(graph(edges)));
});

test('a chain of 10,000 packages is followed to its end, and a cycle of that length is found', () => {
  const names = Array.from({ length: 10_000 }, (_, i) => `n${String(i).padStart(5, '0')}`);
  const chain = new Map(names.map((name, i) => [name, i + 1 < names.length ? [names[i + 1]!] : []]));
  expect(findDependencyCycle(chain)).toBeUndefined();
  chain.set(names.at(-1)!, [names[0]!]);
  expect(findDependencyCycle(chain)).toEqual([...names, names[0]]);
});

test('a cycle that is told is one, and is told exactly when there is one', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  fc.assert(
    fc.property(fc.array(fc.tuple(name, name), { maxLength: 12 }), (pairs) => {
      const edges = new Map<string, string[]>();
      for (const [from, to] of pairs) edges.set(from, [...(edges.get(from) ?? []), to]);
      const cycle = findDependencyCycle(edges);
      expect(cycle !== undefined).toBe([...edges.keys()].some((start) => reaches(edges, start, start)));
      for (const [i, from] of (cycle ?? []).slice(0, -1).entries()) expect(edges.get(from)).toContain(cycle![i + 1]);
      expect(cycle?.[0]).toBe(cycle?.at(-1));
    }),
    { numRuns: 500 },
  );
});

function reaches(edges: ReadonlyMap<string, readonly string[]>, from: string, to: string): boolean {
  const seen = new Set<string>();
  const waiting = [...(edges.get(from) ?? [])];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === to) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...(edges.get(next) ?? []));
  }
  return false;
}
