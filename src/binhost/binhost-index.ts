import type { Digest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import { compareEntries, type IndexEntry } from './index-part.ts';

/** What a place holds, for looking up. */
export class BinhostIndex {
  readonly #byHash = new Map<Hash, IndexEntry[]>();
  readonly #byBuildKey = new Map<Digest, IndexEntry[]>();

  constructor(parts: readonly (readonly IndexEntry[])[]) {
    for (const entry of parts.flat()) {
      const known = this.#byHash.get(entry.hash);
      if (known?.some(({ key }) => key === entry.key)) continue;
      append(this.#byHash, entry.hash, entry);
      append(this.#byBuildKey, entry.buildKey, entry);
    }
  }

  /** Records of a HASH, one for each builder. */
  withHash(hash: Hash): readonly IndexEntry[] {
    return this.#byHash.get(hash) ?? [];
  }

  withBuildKey(buildKey: Digest): readonly IndexEntry[] {
    return this.#byBuildKey.get(buildKey) ?? [];
  }

  get entries(): readonly IndexEntry[] {
    return [...this.#byHash.values()].flat().sort(compareEntries);
  }
}

function append<Key>(map: Map<Key, IndexEntry[]>, key: Key, entry: IndexEntry): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [entry]);
  else known.push(entry);
}
