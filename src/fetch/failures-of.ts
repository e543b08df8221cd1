import { BuilditError } from '../model/errors.ts';

const FETCHES_AT_ONCE = 4;

/** Works on a few at once, and answers the failures of all by their keys. An interrupt is thrown. */
export async function failuresOf<Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
  work: (item: Item) => Promise<void>,
): Promise<ReadonlyMap<Key, BuilditError>> {
  const waiting = [...items];
  const failures = new Map<Key, BuilditError>();
  const workOff = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await work(item);
      } catch (error) {
        if (!(error instanceof BuilditError) || error.code === 'interrupted') throw error;
        failures.set(keyOf(item), error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(FETCHES_AT_ONCE, waiting.length) }, workOff));
  return failures;
}
