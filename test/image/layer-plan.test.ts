import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PlannedMember, planLayers } from '../../src/image/layer-plan.ts';

function members(count: number): PlannedMember[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `p${String(index).padStart(4, '0')}`,
    size: 1000 + ((index * 7919) % 5000),
  }));
}

describe('the plan of layers', () => {
  test('gives each package a layer while there is room', () => {
    expect(planLayers(members(98), 98, [])).toEqual({ layers: members(98).map((_, index) => [index]), shared: [] });
  });

  test('lets the smallest packages share beyond the budget, few at a time', () => {
    const { layers, shared } = planLayers(members(153), 98, []);
    expect(layers).toHaveLength(98);
    const sizeOf = new Map(members(153).map(({ name, size }) => [name, size]));
    const largestShared = Math.max(...shared.flat().map((name) => sizeOf.get(name)!));
    const alone = layers
      .filter((group) => group.length === 1)
      .slice(1)
      .map(([index]) => members(153)[index!]!.size);
    expect(Math.min(...alone)).toBeGreaterThanOrEqual(largestShared);
    expect(Math.max(...shared.map((group) => group.length))).toBe(8);
  });

  test('keeps who shared, so that one new package changes one shared layer at most', () => {
    const before = planLayers(members(153), 98, []);
    const grown = [...members(153), { name: 'new', size: 10 }];
    const after = planLayers(grown, 98, before.shared);
    const changed = after.shared.filter((group) => !before.shared.some((other) => other.join() === group.join()));
    expect(changed.length).toBeLessThanOrEqual(1);
  });

  test('a package that grew stays where it was', () => {
    const before = planLayers(members(153), 98, []);
    const name = before.shared[0]![0]!;
    const grown = members(153).map((member) => (member.name === name ? { name, size: 1e9 } : member));
    expect(planLayers(grown, 98, before.shared)).toEqual(before);
  });

  test('forgets packages that are gone, and groups of one', () => {
    const { shared } = planLayers(members(5), 98, [
      ['p0001', 'gone', 'p0002'],
      ['p0003', 'lost'],
      ['p0001', 'p0004'],
    ]);
    expect(shared).toEqual([['p0001', 'p0002']]);
  });

  test('the base never shares, whatever the lock says', () => {
    const { layers } = planLayers(members(4), 98, [['p0000', 'p0001', 'p0002']]);
    expect(layers[0]).toEqual([0]);
  });

  test('with a budget of one all share, and who shared before is remembered', () => {
    const previous = [['p0001', 'p0002']];
    expect(planLayers(members(4), 1, previous)).toEqual({ layers: [[0, 1, 2, 3]], shared: previous });
  });

  test('changes at most two layers when one package is another size, whatever the budget', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1e8 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 125 }),
        fc.nat(),
        fc.integer({ min: 1, max: 1e8 }),
        (sizes, budget, which, size) => {
          const before = sizes.map((bytes, index) => ({ name: `p${index}`, size: bytes }));
          const plan = planLayers(before, budget, []);
          const bumped = before.map((member, index) => (index === which % sizes.length ? { ...member, size } : member));
          const after = planLayers(bumped, budget, plan.shared);
          expect(after.layers).toEqual(plan.layers);
        },
      ),
    );
  });

  test('holds every package once, in order, within any budget', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 130 }),
        fc.integer({ min: 0, max: 400 }),
        (count, budget, earlier) => {
          const previous = planLayers(members(Math.max(1, earlier)), budget, []).shared;
          const { layers, shared } = planLayers(members(count), budget, previous);
          expect(layers.length).toBeLessThanOrEqual(budget);
          expect(layers.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
          expect(layers.map(([first]) => first)).toEqual(layers.map(([first]) => first).toSorted((a, b) => a! - b!));
          expect(planLayers(members(count), budget, shared)).toEqual({ layers, shared });
        },
      ),
    );
  });
});
