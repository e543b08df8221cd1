import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { acquireLock, type LockMode, type LockOptions } from '../system/lock.ts';
import type { Store } from './store.ts';
import { lockPath } from './store-paths.ts';

/**
 * Runs a function while holding the collection lock: shared by everything that relies on what it finds in the store,
 * exclusive for what removes. With `wait: false` a lock held by others is `busy`. Not to be nested in one process: each
 * call is a holder of its own.
 */
export async function withCollectionLock<Result>(
  store: Store,
  mode: LockMode,
  action: () => Promise<Result>,
  options: LockOptions = {},
): Promise<Result> {
  const lock = await acquireLock(lockPath(store, 'collection'), mode, options);
  if (lock === undefined) throw busy(store);
  try {
    return await action();
  } finally {
    lock.release();
  }
}

function busy(store: Store): BuilditError {
  return new BuilditError(
    'busy',
    `Cannot lock the store "${printable(store.directory)}": expected no other run in it, found one`,
    { hint: 'wait until it has ended' },
  );
}
