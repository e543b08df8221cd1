import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCarriedClosures } from '../../src/plan/carried-closures.ts';
import { orderPackages } from '../../src/plan/order-packages.ts';
import { packageNamed } from '../support/packages.ts';

const COUNT = 12;
const nameOf = (index: number) => `a/p${String(index).padStart(2, '0')}`;

/** Each package needs some of those before it, in whatever order. */
const graphs = fc.tuple(
  ...Array.from({ length: COUNT }, (_, index) => fc.subarray(Array.from({ length: index }, (_, below) => below))),
);

function closuresOf(graph: readonly (readonly number[])[], shuffled: readonly number[]) {
  const needs = new Map(graph.map((below, index) => [nameOf(index), below.map(nameOf)]));
  const packages = new Map(
    shuffled.map((index) => [nameOf(index), packageNamed(nameOf(index), { link: needs.get(nameOf(index))! })]),
  );
  const names = [...packages.keys()];
  const closures = createCarriedClosures(packages);
  return {
    of: (roots: readonly string[]) => [...closures.of(roots).members].map((number) => names[number]!),
    ordered: (roots: readonly string[]) => orderPackages(roots, (name) => needs.get(name)!),
  };
}

describe('the closure of what packages carry', () => {
  test('is in the order of packages, whichever closures were asked for before', () => {
    const order = fc.shuffledSubarray(
      Array.from({ length: COUNT }, (_, index) => index),
      { minLength: COUNT },
    );
    const asked = fc.array(fc.shuffledSubarray(Array.from({ length: COUNT }, (_, index) => nameOf(index))));
    fc.assert(
      fc.property(graphs, order, asked, (graph, shuffled, questions) => {
        const { of, ordered } = closuresOf(graph, shuffled);
        for (const roots of questions) expect(of(roots)).toEqual(ordered(roots));
      }),
    );
  });

  test('of a chain of 10,000 packages has all of them', () => {
    const chain = Array.from({ length: 10_000 }, (_, index) =>
      packageNamed(nameOf(index), { link: [nameOf(index + 1)] }),
    );
    const packages = new Map(
      [...chain, packageNamed(nameOf(10_000))].map((definition) => [definition.name, definition]),
    );
    const { members } = createCarriedClosures(packages).of([nameOf(0)]);
    expect([members.length, members[0]]).toEqual([10_001, 10_000]);
  });

  test('names what members need of Debian and stand in for', () => {
    const library = packageNamed('a/tls', {
      link: ['debian/libc6', 'debian/zlib1g'],
      replaces: [{ category: 'debian', name: 'libssl3' }],
    });
    const packages = new Map([
      [library.name, library],
      ['a/web', packageNamed('a/web', { link: ['a/tls', 'debian/libc6'] })],
    ]);
    expect(createCarriedClosures(packages).of(['a/web'])).toMatchObject({
      debian: ['libc6', 'zlib1g'],
      replaced: ['libssl3'],
    });
  });
});
