import type { Digest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import { type ContainerEntry, containerTitle } from './container-entry.ts';
import { type IndexContent, type IndexEntry, mergeIndex } from './index-part.ts';

/** What a place holds, for looking up. */
export class BinhostIndex {
  readonly content: IndexContent;
  readonly #byHash: ReadonlyMap<Hash, readonly IndexEntry[]>;
  readonly #byBuildKey: ReadonlyMap<Digest, readonly IndexEntry[]>;

  constructor(tail: IndexContent, base: IndexContent) {
    this.content = mergeIndex(tail, base);
    this.#byHash = grouped(this.content.packages, ({ hash }) => hash);
    this.#byBuildKey = grouped(this.content.packages, ({ buildKey }) => buildKey);
  }

  /** Records of a HASH, one for each builder. */
  withHash(hash: Hash): readonly IndexEntry[] {
    return this.#byHash.get(hash) ?? [];
  }

  withBuildKey(buildKey: Digest): readonly IndexEntry[] {
    return this.#byBuildKey.get(buildKey) ?? [];
  }

  /** Containers of this title, the latest first. */
  containers(title: string): readonly ContainerEntry[] {
    return this.content.containers
      .filter((entry) => containerTitle(entry) === title || entry.name === title)
      .sort((a, b) => (a.time < b.time ? 1 : -1));
  }
}

function grouped<Key>(entries: readonly IndexEntry[], keyOf: (entry: IndexEntry) => Key): Map<Key, IndexEntry[]> {
  const groups = new Map<Key, IndexEntry[]>();
  for (const entry of entries) {
    const known = groups.get(keyOf(entry));
    if (known === undefined) groups.set(keyOf(entry), [entry]);
    else known.push(entry);
  }
  return groups;
}
