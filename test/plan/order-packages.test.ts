import { describe, expect, test } from 'vitest';
import { orderPackages } from '../../src/plan/order-packages.ts';

function ordered(graph: Record<string, string[]>, roots = Object.keys(graph)): string[] {
  return orderPackages(roots, (name) => graph[name] ?? []);
}

describe('the order of packages', () => {
  test('puts what is needed before what needs it', () => {
    expect(ordered({ web: ['tls', 'zip'], tls: ['zip'], zip: [] }, ['web'])).toEqual(['zip', 'tls', 'web']);
  });

  test('does not depend on the order in which dependencies are written', () => {
    expect(ordered({ web: ['b', 'a', 'c'] }, ['web'])).toEqual(ordered({ web: ['c', 'b', 'a'] }, ['web']));
  });

  test('follows a chain of 10,000 packages', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [`p${index}`, index < 9_999 ? [`p${index + 1}`] : []]),
    );
    expect(ordered(chain, ['p0'])[0]).toBe('p9999');
  });

  test('a cycle is an error that prints it as a path', () => {
    expect(() => ordered({ start: ['a'], a: ['b'], b: ['c'], c: ['a'] }, ['start'])).toThrowError(
      expect.objectContaining({ code: 'dependency-cycle', message: 'Cannot order packages: a → b → c → a is a cycle' }),
    );
  });

  test('a package that needs itself is a cycle', () => {
    expect(() => ordered({ a: ['a'] })).toThrowError(expect.objectContaining({ code: 'dependency-cycle' }));
  });
});
