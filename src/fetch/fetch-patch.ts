import { readFile } from 'node:fs/promises';
import type { Config, RunContext } from '../model/config.ts';
import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError, throwCollected } from '../model/errors.ts';
import type { PatchPin } from '../model/lock.ts';
import { printable } from '../model/names.ts';
import { normalisePatch } from '../model/normalise-patch.ts';
import type { PackagePatch } from '../model/package.ts';
import { MAXIMUM_PATCH_BYTES } from '../model/parse-patch.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { downloadBytes, shownUrl } from '../system/http.ts';
import type { HttpTuning } from './download-blob.ts';
import { failuresOf } from './failures-of.ts';

export interface FetchPatchOptions {
  readonly store: Store;
  readonly context: RunContext;
  readonly config: Pick<Config, 'offline'>;
  /** As `FetchOptions.takeBlob`. */
  readonly takeBlob?: ((digest: Digest, maximumBytes: number) => Promise<boolean>) | undefined;
  /** Time-outs and retries, for tests. */
  readonly http?: HttpTuning | undefined;
}

/**
 * Downloads a patch and keeps it twice: the raw bytes, and the normalised text that is applied. Where the definition
 * gives a checksum, the raw bytes must have it.
 */
export async function fetchPatch(
  url: string,
  strip: number,
  { store, context, config, http, expected }: FetchPatchOptions & { readonly expected?: Digest | undefined },
): Promise<PatchPin> {
  const task = `patch:${url}`;
  context.emit({ kind: 'task-started', task, label: `fetching ${shownUrl(url)}` });
  let outcome: 'done' | 'failed' = 'failed';
  try {
    const raw = await downloadBytes(url, {
      ...http,
      signal: context.signal,
      offline: config.offline,
      maximumBytes: MAXIMUM_PATCH_BYTES,
    });
    const { digest } = await putBlob(store, raw, { expected, what: shownUrl(url) });
    const normalisedSha256 = await keepNormalised(store, raw, strip, shownUrl(url));
    outcome = 'done';
    return { sha256: digest, size: raw.length, normalisedSha256 };
  } finally {
    context.emit({ kind: 'task-finished', task, outcome });
  }
}

/**
 * Brings the normalised text of every patch into the store. A patch by URL is as its pin says: where a forge only writes
 * it differently now, the same change is accepted. All failures are reported together.
 */
export async function fetchPatches(
  patches: readonly PackagePatch[],
  pins: Readonly<Record<string, PatchPin>>,
  options: FetchPatchOptions,
): Promise<void> {
  throwCollected([...(await failedPatches(patches, pins, options)).values()]);
}

/** The same, and answers the failures by patch. */
export async function failedPatches(
  patches: readonly PackagePatch[],
  pins: Readonly<Record<string, PatchPin>>,
  options: FetchPatchOptions,
): Promise<ReadonlyMap<PackagePatch, BuilditError>> {
  return failuresOf(
    patches,
    (patch) => patch,
    (patch) =>
      patch.location.kind === 'url'
        ? fetchPinnedPatch(patch.location.url, patch, pins, options)
        : keepPatchFile(patch.location.path, patch, options.store),
  );
}

async function fetchPinnedPatch(
  url: string,
  { strip, sha256: expected, normalisedSha256 }: PackagePatch,
  pins: Readonly<Record<string, PatchPin>>,
  options: FetchPatchOptions,
): Promise<void> {
  const wanted = normalisedSha256 ?? pins[url]?.normalisedSha256;
  if (wanted !== undefined && (await blobSize(options.store, wanted)) !== undefined) return;
  const found = await fetchPatch(url, strip, { ...options, expected }).catch(async (error: unknown) => {
    const isTaken = wanted !== undefined && (await options.takeBlob?.(wanted, MAXIMUM_PATCH_BYTES));
    if (options.context.signal.aborted || isTaken !== true) throw error;
    return { normalisedSha256: wanted };
  });
  if (wanted !== undefined && found.normalisedSha256 !== wanted)
    throw changedError(shownUrl(url), wanted, found.normalisedSha256);
}

async function keepPatchFile(path: string, patch: PackagePatch, store: Store): Promise<void> {
  const wanted = patch.normalisedSha256;
  if (wanted !== undefined && (await blobSize(store, wanted)) !== undefined) return;
  const shown = patch.location.kind === 'file' ? patch.location.shownPath : path;
  const raw = await readFile(path).catch((cause: unknown) => {
    throw new BuilditError('file-missing', `Cannot read "${printable(shown)}": expected a patch, found no file`, {
      cause,
      position: patch.position,
    });
  });
  const found = await keepNormalised(store, raw, patch.strip, shown);
  if (wanted !== undefined && found !== wanted) throw changedError(shown, wanted, found);
}

async function keepNormalised(store: Store, raw: Buffer, strip: number, label: string): Promise<Digest> {
  const normalised = Buffer.from(normalisePatch(raw.toString('latin1'), strip, label), 'latin1');
  const digest = sha256(normalised);
  await putBlob(store, normalised, { expected: digest, what: label });
  return digest;
}

function changedError(shown: string, expected: Digest, found: Digest): BuilditError {
  return new BuilditError(
    'checksum-mismatch',
    `Cannot use the patch "${printable(shown)}": expected the change with sha256 ${expected}, found ${found}`,
    { hint: 'the patch was changed; look at it, then pin it anew with `buildit lock`, or run again if it is a file' },
  );
}
