import type { AvailablePackage } from './indexed-package.ts';
import { exclusions, type PackageUniverse, provisions, satisfies } from './package-universe.ts';
import type { Relation, RelationGroup } from './relations.ts';

/** The packages chosen so far, consistent at every moment. Every step can be taken back, in reverse order. */
export class Selection {
  readonly #universe: PackageUniverse;
  readonly #chosen = new Map<string, AvailablePackage>();
  readonly #expanded = new Set<string>();
  readonly #providers = new Map<string, AvailablePackage[]>();
  readonly #excluders = new Map<string, { readonly owner: AvailablePackage; readonly relation: Relation }[]>();
  readonly #undo: (() => void)[] = [];

  constructor(universe: PackageUniverse) {
    this.#universe = universe;
  }

  get(name: string): AvailablePackage | undefined {
    return this.#chosen.get(name);
  }

  add(entry: AvailablePackage): void {
    const provided = provisions(entry).map(({ name }) => name);
    const excluded = exclusions(entry);
    this.#chosen.set(entry.name, entry);
    for (const name of provided) push(this.#providers, name, entry);
    for (const relation of excluded) push(this.#excluders, relation.name, { owner: entry, relation });
    this.#undo.push(() => {
      this.#chosen.delete(entry.name);
      for (const name of provided) this.#providers.get(name)!.pop();
      for (const { name } of excluded) this.#excluders.get(name)!.pop();
    });
  }

  /** Tells once for each chosen package that its needs are to be met now. */
  expands(entry: AvailablePackage): boolean {
    if (this.#expanded.has(entry.name)) return false;
    this.#expanded.add(entry.name);
    this.#undo.push(() => this.#expanded.delete(entry.name));
    return true;
  }

  /** A point to come back to. */
  mark(): number {
    return this.#undo.length;
  }

  backTo(mark: number): void {
    while (this.#undo.length > mark) this.#undo.pop()!();
  }

  /** The chosen package that meets a group of alternatives: of the first alternative met, its own name first. */
  satisfier(group: RelationGroup): AvailablePackage | undefined {
    for (const relation of group) {
      const found = this.satisfiers(relation)[0];
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Why a package cannot join, as a clause; undefined where it can. */
  conflict(entry: AvailablePackage): string | undefined {
    for (const relation of exclusions(entry)) {
      const other = this.satisfiers(relation).find(({ name }) => name !== entry.name);
      if (other !== undefined) return `${entry.name} ${entry.version} conflicts with ${other.name} ${other.version}`;
    }
    for (const name of [entry.name, ...provisions(entry).map((provision) => provision.name)]) {
      for (const { owner, relation } of this.#excluders.get(name) ?? []) {
        if (owner.name === entry.name || !satisfies(entry, relation, this.#universe.architecture)) continue;
        return `${owner.name} ${owner.version} conflicts with ${entry.name} ${entry.version}`;
      }
    }
    return undefined;
  }

  satisfiers(relation: Relation): readonly AvailablePackage[] {
    const named = this.#chosen.get(relation.name);
    const entries = [...(named === undefined ? [] : [named]), ...(this.#providers.get(relation.name) ?? [])];
    return entries.filter((entry) => satisfies(entry, relation, this.#universe.architecture));
  }
}

function push<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
