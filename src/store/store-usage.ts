import type { Store } from './store.ts';
import { listItems, occupantsOf, STORE_CATEGORIES, type StoreCategory } from './store-inventory.ts';

export interface CategoryUsage {
  readonly category: StoreCategory;
  readonly count: number;
  /** Room on the disk. A file with several names counts once, in the first category that has it. */
  readonly bytes: number;
}

export interface StoreUsage {
  readonly categories: readonly CategoryUsage[];
  readonly bytes: number;
}

/** What takes how much room in the store. Build roots are made of links to trees, so they take little of their own. */
export async function storeUsage(store: Store): Promise<StoreUsage> {
  const seen = new Set<string>();
  const categories: CategoryUsage[] = [];
  for (const category of STORE_CATEGORIES) {
    const items = listItems(store, category);
    let bytes = 0;
    for (const { path } of items) bytes += await newBytes(path, seen);
    categories.push({ category, count: items.length, bytes });
  }
  return { categories, bytes: categories.reduce((sum, category) => sum + category.bytes, 0) };
}

async function newBytes(path: string, seen: Set<string>): Promise<number> {
  let bytes = 0;
  for await (const occupant of occupantsOf(path)) {
    if (seen.has(occupant.identity)) continue;
    seen.add(occupant.identity);
    bytes += occupant.bytes;
  }
  return bytes;
}
