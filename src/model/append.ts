/** Adds items to a list. `push(...items)` passes each as an argument, and some 120,000 of them overflow the stack. */
export function append<Item>(list: Item[], items: Iterable<Item>): void {
  for (const item of items) list.push(item);
}
