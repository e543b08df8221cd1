import { createReadStream } from 'node:fs';
import type { HttpTuning } from '../fetch/download-blob.ts';
import type { Config, RunContext } from '../model/config.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { putBlob } from '../store/put-blob.ts';
import type { Store } from '../store/store.ts';
import { openDownload, shownUrl } from '../system/http.ts';

/** The largest source that is looked at. */
const MAXIMUM_BYTES = 2 * 1024 ** 3;

export interface UnknownSourceOptions {
  readonly store: Store;
  readonly config: Pick<Config, 'offline'>;
  readonly context: RunContext;
  /** Time-outs and retries, for tests. */
  readonly http?: HttpTuning | undefined;
}

/** Brings a file into the store whose digest nobody knows yet: whoever asked for it compares it with what is published. */
export async function fetchUnknownSource(
  url: string,
  { store, config, context, http }: UnknownSourceOptions,
): Promise<Digest> {
  const task = `fetch ${url}`;
  context.emit({ kind: 'task-started', task, label: `fetching ${printable(shownUrl(url))}` });
  let outcome: 'done' | 'failed' = 'failed';
  try {
    const { body } = await openDownload(url, {
      ...http,
      signal: context.signal,
      offline: config.offline,
      maximumBytes: MAXIMUM_BYTES,
    });
    const { digest } = await putBlob(store, body, { maxBytes: MAXIMUM_BYTES, what: shownUrl(url) });
    outcome = 'done';
    return digest;
  } finally {
    context.emit({ kind: 'task-finished', task, outcome });
  }
}

export async function keepLocalFile(path: string, store: Store): Promise<Digest> {
  try {
    const { digest } = await putBlob(store, createReadStream(path), { maxBytes: MAXIMUM_BYTES, what: path });
    return digest;
  } catch (cause) {
    if (cause instanceof BuilditError) throw cause;
    throw new BuilditError('file-missing', `Cannot read "${printable(path)}": expected a readable file, found none`, {
      cause,
    });
  }
}
