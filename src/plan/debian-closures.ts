import type { RepositoryDefinition } from '../model/container.ts';
import type { DebianPin, DebianSet } from '../model/lock.ts';
import type { ResolvedPackage } from '../model/package.ts';
import { reachable } from './order-packages.ts';

/** The part of a root that is Debian's. */
export interface DebianClosure {
  /** Sorted by name. */
  readonly pins: readonly DebianPin[];
  /** The first of what was asked for that is not pinned. */
  readonly unpinned: string | undefined;
}

/** Closures within one set of pins. The same question has the same answer, so that thousands of roots share a few. */
export interface DebianClosures {
  /** The repository's root of this kind and the names, with what they need, less `without`. */
  of(root: ResolvedPackage['root'], names: readonly string[], without: readonly string[]): DebianClosure;
}

export function createDebianClosures(set: DebianSet, { debian }: RepositoryDefinition): DebianClosures {
  const essential = Object.values(set).flatMap((pin) => (pin.essential === true ? [pin.name] : []));
  const known = new Map<string, DebianClosure>();
  return {
    of(root, names, without) {
      const key = [root, ...names, '/', ...without].join(' ');
      const answered = known.get(key);
      if (answered !== undefined) return answered;
      const base = root === 'minimal' ? debian.minimal : [...essential, ...debian.toolchain];
      const closure = closureOf([...base, ...names], new Set(without));
      known.set(key, closure);
      return closure;
    },
  };

  function closureOf(names: readonly string[], without: ReadonlySet<string>): DebianClosure {
    const members = reachable(names, (name) => set[name]?.depends ?? []);
    return {
      pins: members.filter((name) => Object.hasOwn(set, name) && !without.has(name)).map((name) => set[name]!),
      unpinned: names.find((name) => !Object.hasOwn(set, name)),
    };
  }
}
