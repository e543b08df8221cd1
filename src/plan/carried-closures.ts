import { carriedDependencies, type ResolvedPackage } from '../model/package.ts';
import { debianNames, ownNames } from './compose-members.ts';
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
  const closures: (Closure | undefined)[] = new Array(names.length);
  const union = createUnion(names.length);

  function join(given: readonly Closure[], own?: number): Closure {
    const more = own === undefined ? [] : [Int32Array.of(own)];
    const brings = own !== undefined && facts[own]!.debian.length + facts[own]!.replaced.length > 0;
    return {
      members: union([...given.map(({ members }) => members), ...more]),
      bringing: union([...given.map(({ bringing }) => bringing), ...(brings ? more : [])]),
    };
  }

  function closureOf(name: string): Closure {
    const known = closures[numbers.get(name)!];
    if (known !== undefined) return known;
    const needsOf = (needed: string) => {
      const { needs } = facts[numbers.get(needed)!]!;
      return needs.filter((other) => closures[numbers.get(other)!] === undefined);
    };
    for (const member of orderPackages([name], needsOf)) {
      const number = numbers.get(member)!;
      const carried = facts[number]!.needs.map((needed) => closures[numbers.get(needed)!]!);
      closures[number] = join(carried, number);
    }
    return closures[numbers.get(name)!]!;
  }

  return {
    numberOf: (name) => numbers.get(name)!,
    of(given) {
      const { members, bringing } = given.length === 1 ? closureOf(given[0]!) : join(given.map(closureOf));
      const debian = new Set<string>();
      const replaced = new Set<string>();
      for (const member of bringing) {
        for (const name of facts[member]!.debian) debian.add(name);
        for (const name of facts[member]!.replaced) replaced.add(name);
      }
      return { members, debian: [...debian], replaced: [...replaced] };
    },
  };
}

interface Closure {
  readonly members: Int32Array;
  /** Those that need something of Debian, or stand in for it: a few of thousands. */
  readonly bringing: Int32Array;
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

const NOTHING = new Int32Array(0);

/** Joins lists of numbers below `count`, keeping the first of each. */
function createUnion(count: number): (lists: readonly Int32Array[]) => Int32Array {
  const marks = new Int32Array(count);
  const joined = new Int32Array(count);
  let mark = 0;
  return (lists) => {
    if (lists.every(({ length }) => length === 0)) return NOTHING;
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
