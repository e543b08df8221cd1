import type { DebianSet } from '../model/lock.ts';
import { reachable } from './order-packages.ts';

/** Closures within one set of pins, sorted: the same for the same names, so that thousands of roots share a few. */
export interface DebianClosures {
  /** Essential packages of the set. */
  readonly essential: readonly string[];
  /** What the names need, themselves included, less `without`. What is not pinned is left out. */
  of(names: readonly string[], without: readonly string[]): readonly string[];
}

export function createDebianClosures(debian: DebianSet): DebianClosures {
  const known = new Map<string, readonly string[]>();
  return {
    essential: Object.values(debian).flatMap(({ name, essential }) => (essential === true ? [name] : [])),
    of(names, without) {
      const key =
        [...new Set(names)].sort().join(' ') + (without.length === 0 ? '' : ` / ${[...without].sort().join(' ')}`);
      const closure = known.get(key) ?? closureOf(names, new Set(without));
      known.set(key, closure);
      return closure;
    },
  };

  function closureOf(names: readonly string[], without: ReadonlySet<string>): readonly string[] {
    return reachable(names, (name) => debian[name]?.depends ?? []).filter(
      (name) => Object.hasOwn(debian, name) && !without.has(name),
    );
  }
}
