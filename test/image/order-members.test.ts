import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderMembers } from '../../src/image/order-members.ts';

function order(graph: Record<string, readonly string[]>): string[] {
  return orderMembers(Object.keys(graph), (name) => graph[name] ?? []);
}

describe('the order of members', () => {
  test('is dependencies first, then by name', () => {
    expect(order({ c: ['z'], a: [], z: [], b: ['a', 'c'] })).toEqual(['a', 'z', 'c', 'b']);
  });

  test('keeps packages that need each other together, by name', () => {
    expect(order({ libgcc: ['libc'], app: ['libgcc'], libc: ['libgcc', 'base'], base: [] })).toEqual([
      'base',
      'libc',
      'libgcc',
      'app',
    ]);
  });

  test('does not mind needs that are not members, nor a package that needs itself', () => {
    expect(order({ a: ['a', 'gone'] })).toEqual(['a']);
  });

  test('is the same for every order of names and dependencies, and holds each once', () => {
    const graphs = fc.array(fc.array(fc.nat(14), { maxLength: 5 }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(graphs, (edges) => {
        const graph = Object.fromEntries(
          edges.map((targets, index) => [`p${index}`, targets.map((target) => `p${target}`)]),
        );
        const names = Object.keys(graph);
        const result = order(graph);
        expect(result.toSorted()).toEqual(names.toSorted());
        expect(orderMembers(names.toReversed(), (name) => graph[name]!.toReversed())).toEqual(result);
        for (const name of names) {
          for (const needed of graph[name]!.filter((other) => names.includes(other))) {
            const isCircle = reaches(graph, needed, name);
            if (!isCircle) expect(result.indexOf(needed)).toBeLessThan(result.indexOf(name));
          }
        }
      }),
    );
  });

  test('is found for a chain of 10,000', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `p${index}`);
    expect(orderMembers(names, (name) => [`p${Number(name.slice(1)) + 1}`])).toEqual(names.toReversed());
  });
});

function reaches(graph: Record<string, readonly string[]>, from: string, to: string): boolean {
  const seen = new Set<string>();
  const pending = [from];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === to) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    pending.push(...(graph[name] ?? []));
  }
  return false;
}
