import { publishedBlobPath } from '../binhost/binhost-paths.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { putBlob } from '../store/put-blob.ts';
import type { Store } from '../store/store.ts';
import type { CachePlace } from './package-cache.ts';

/**
 * Brings a file whose digest is pinned into the store from a binhost, where its own places do not have it any more.
 * Whoever serves it need not be trusted: other bytes are refused. Answers the name of the place, or undefined.
 */
export async function takeBlob(
  store: Store,
  places: readonly CachePlace[],
  {
    digest,
    maximumBytes,
    signal,
  }: { readonly digest: Digest; readonly maximumBytes: number; readonly signal: AbortSignal },
): Promise<string | undefined> {
  for (const place of places) {
    const binhost = await place.open();
    if ('unusable' in binhost) continue;
    const path = publishedBlobPath(digest);
    try {
      const answer = await binhost.reader.open(path, { offset: 0, size: maximumBytes, signal });
      if (answer === 'missing') continue;
      await putBlob(store, answer, {
        expected: digest,
        maxBytes: maximumBytes,
        what: `${binhost.reader.shown}/${path}`,
      });
      return place.name;
    } catch (error) {
      if (signal.aborted || !(error instanceof BuilditError) || !OTHER_PLACE.includes(error.code)) throw error;
      binhost.onDoubt(error.message);
    }
  }
  return undefined;
}

/** What is wrong there leads to the next place. */
const OTHER_PLACE: readonly string[] = ['checksum-mismatch', 'input-invalid', 'unreachable', 'authentication-failed'];
