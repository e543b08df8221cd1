import { sha256 } from '../model/digest.ts';
import type { Store } from '../store/store.ts';
import { lockPath } from '../store/store-paths.ts';
import { acquireLock } from '../system/lock.ts';

/** Lets one process at a time write to a place, so that whatever temporary file lies there was left by a dead one. */
export async function withPublishLock<Result>(
  store: Store,
  path: string,
  signal: AbortSignal | undefined,
  write: () => Promise<Result>,
): Promise<Result> {
  const name = `publish-${sha256(path).slice(0, 2)}`;
  const lock = await acquireLock(lockPath(store, name), 'exclusive', { signal });
  try {
    return await write();
  } finally {
    lock.release();
  }
}
