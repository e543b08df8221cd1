import type { ResolvedPackage } from '../model/package.ts';
import { carriedDependencies, debianNames, ownNames } from './compose-members.ts';
import { orderPackages } from './order-packages.ts';

/** What some packages carry between them. */
export interface CarriedClosure {
  /** Numbers of packages, the given ones included, each after what it carries: the order of `orderPackages`. */
  readonly members: Int32Array;
  /** Debian packages that members carry, each once. */
  readonly debian: readonly string[];
  /** Debian packages that members stand in for, each once. */
  readonly replaced: readonly string[];
}

/** Closures of link and run dependencies. Packages go by numbers here: a plan of thousands holds millions of members. */
export interface CarriedClosures {
  numberOf(name: string): number;
  of(names: readonly string[]): CarriedClosure;
}

/**
 * The closure of a package is made once, out of those of its dependencies: in what order a package is reached depends on
 * nothing that was reached before, since whatever that carries was reached with it.
 */
export function createCarriedClosures(packages: ReadonlyMap<string, ResolvedPackage>): CarriedClosures {
  const names = [...packages.keys()];
  const numbers = new Map(names.map((name, number) => [name, number]));
  const facts = [...packages.values()].map(memberFacts);
  const bringsDebian = Uint8Array.from(facts, ({ debian, replaced }) => (debian.length + replaced.length > 0 ? 1 : 0));
  const closures: (Int32Array | undefined)[] = new Array(names.length);
  const union = createUnion(names.length);

  function closureOf(name: string): Int32Array {
    const known = closures[numbers.get(name)!];
    if (known !== undefined) return known;
    const needsOf = (needed: string) => {
      const { needs } = facts[numbers.get(needed)!]!;
      return needs.filter((other) => closures[numbers.get(other)!] === undefined);
    };
    for (const member of orderPackages([name], needsOf)) {
      const number = numbers.get(member)!;
      closures[number] = union([
        ...facts[number]!.needs.map((needed) => closures[numbers.get(needed)!]!),
        Int32Array.of(number),
      ]);
    }
    return closures[numbers.get(name)!]!;
  }

  return {
    numberOf: (name) => numbers.get(name)!,
    of(given) {
      const members = given.length === 1 ? closureOf(given[0]!) : union(given.map(closureOf));
      const debian = new Set<string>();
      const replaced = new Set<string>();
      for (let index = 0; index < members.length; index += 1) {
        const member = members[index]!;
        if (bringsDebian[member] === 0) continue;
        for (const name of facts[member]!.debian) debian.add(name);
        for (const name of facts[member]!.replaced) replaced.add(name);
      }
      return { members, debian: [...debian], replaced: [...replaced] };
    },
  };
}

interface MemberFacts {
  /** Packages it carries itself, sorted. */
  readonly needs: readonly string[];
  readonly debian: readonly string[];
  readonly replaced: readonly string[];
}

function memberFacts(definition: ResolvedPackage): MemberFacts {
  const carried = carriedDependencies(definition);
  return {
    needs: [...new Set(ownNames(carried))].sort(),
    debian: debianNames(carried),
    replaced: debianNames(definition.replaces),
  };
}

/** Joins lists of numbers below `count`, keeping the first of each. */
function createUnion(count: number): (lists: readonly Int32Array[]) => Int32Array {
  const marks = new Int32Array(count);
  const joined = new Int32Array(count);
  let mark = 0;
  return (lists) => {
    mark += 1;
    let length = 0;
    for (const list of lists) length = addUnmarked(list, joined, length, marks, mark);
    return joined.slice(0, length);
  };
}

function addUnmarked(list: Int32Array, to: Int32Array, at: number, marks: Int32Array, mark: number): number {
  let length = at;
  for (let index = 0; index < list.length; index += 1) {
    const number = list[index]!;
    if (marks[number] === mark) continue;
    marks[number] = mark;
    to[length] = number;
    length += 1;
  }
  return length;
}
