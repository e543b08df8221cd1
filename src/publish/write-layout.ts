import { lstat, readdir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { OciImage } from '../image/assemble-oci.ts';
import { isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { linkBlob } from '../store/link-blob.ts';
import type { Store } from '../store/store.ts';
import { makeDirectory, syncDirectory, writeFileDurably } from '../system/files.ts';
import { requireFileOrNothing, requireRealDirectories } from '../system/real-directories.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import { LAYOUT_MARK, type LayoutBlob, OCI_LAYOUT, ociLayout } from './oci-index.ts';
import type { Published, WriteWitness } from './published.ts';

/**
 * Makes a directory an OCI image layout that holds exactly these images. Blobs come first, index.json is replaced in one
 * step, what only the old index named goes last: a reader finds the old images or the new ones, whole. A directory that
 * holds anything else is refused.
 */
export async function writeLayout(
  store: Store,
  images: readonly OciImage[],
  directory: string,
  witness?: WriteWitness,
): Promise<Published[]> {
  const layout = ociLayout(images, 'manifest');
  const blobs = join(directory, 'blobs', 'sha256');
  requireRealDirectories(directory, blobs);
  for (const name of ['oci-layout', 'index.json']) requireFileOrNothing(join(directory, name));
  await refuseForeignContent(directory);
  try {
    makeDirectory(blobs);
  } catch (error) {
    throw writeFailure(error, { verb: 'create', path: blobs });
  }
  await writeFileDurably(join(directory, 'oci-layout'), OCI_LAYOUT);
  await inParallel(layout.blobs, (blob) => writeBlob(store, blob, join(blobs, blob.digest)));
  await syncDirectory(blobs);
  await writeFileDurably(join(directory, 'index.json'), layout.index);
  await removeOthers(directory, ['oci-layout', 'index.json', 'blobs']);
  await removeOthers(
    blobs,
    layout.blobs.map(({ digest }) => digest),
  );

  witness?.wrote(join(directory, 'oci-layout'));
  witness?.wrote(join(directory, 'index.json'));
  for (const { digest } of layout.blobs) witness?.stored(join(blobs, digest));
  return images.map((image) => publishedImage(image, directory));
}

export function publishedImage({ manifest, config, layers, tags }: OciImage, path: string): Published {
  return {
    kind: 'oci',
    path,
    digest: `sha256:${manifest.digest}`,
    size: [...layers, ...[manifest, config].map(({ bytes }) => ({ size: bytes.length }))].reduce(
      (sum, { size }) => sum + size,
      0,
    ),
    tags,
    blobs: layers.map(({ digest }) => digest),
  };
}

async function writeBlob(store: Store, blob: LayoutBlob, path: string): Promise<void> {
  if (blob.kind === 'stored') await linkBlob(store, blob.digest, path);
  else await writeFileDurably(path, blob.bytes, { mode: 0o444 });
}

/** What may lie in a layout of ours, besides temporary files of a run that died. */
const OWN_NAMES = new Set(['oci-layout', 'index.json', 'blobs']);
const TEMPORARY = /^\..+\.[0-9a-f]{12}\.tmp$/;

async function refuseForeignContent(directory: string): Promise<void> {
  const names = await namesIn(directory);
  const foreign = names.find((name) => !OWN_NAMES.has(name) && !TEMPORARY.test(name));
  if (foreign !== undefined) throw foreignContent(directory, `"${printable(foreign)}" in it`);
  if (names.includes('index.json') && !(await hasOurMark(join(directory, 'index.json')))) {
    throw foreignContent(directory, 'an image layout that buildit did not write');
  }
  if (!names.includes('index.json') && names.includes('blobs')) await refuseForeignBlobs(directory);
}

/** A first run that died has left blobs without an index. */
async function refuseForeignBlobs(directory: string): Promise<void> {
  const tops = (await namesIn(join(directory, 'blobs'))).filter((name) => name !== 'sha256');
  const blobs = await namesIn(join(directory, 'blobs', 'sha256'));
  const foreign = [...tops, ...blobs].find((name) => !isDigest(name) && !TEMPORARY.test(name));
  if (foreign !== undefined) throw foreignContent(directory, `"${printable(foreign)}" in its blobs`);
}

async function hasOurMark(path: string): Promise<boolean> {
  try {
    const index = JSON.parse(await readFile(path, 'utf8')) as { annotations?: { [key: string]: unknown } } | null;
    return typeof index?.annotations?.[LAYOUT_MARK] === 'string';
  } catch {
    return false;
  }
}

function foreignContent(directory: string, found: string): BuilditError {
  return new BuilditError(
    'cannot-write',
    `Cannot write images to "${printable(directory)}": expected an empty directory or an image layout of buildit, found ${found}`,
    { hint: 'name another place with --output type=oci,dest=…, or remove this one' },
  );
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw writeFailure(error, { verb: 'write images to', path: directory });
  }
}

/** Only files are removed: a directory among blobs is nobody's blob and stays. */
async function removeOthers(directory: string, kept: readonly string[]): Promise<void> {
  const keep = new Set(kept);
  for (const name of await namesIn(directory)) {
    if (keep.has(name) || !(isDigest(name) || TEMPORARY.test(name))) continue;
    const path = join(directory, name);
    if ((await lstat(path)).isDirectory()) continue;
    await unlink(path).catch((error) => {
      throw writeFailure(error, { verb: 'remove', path });
    });
  }
}

/** Verifying a blob reads it: a few at a time keep disk and processor busy together. */
async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const rest = [...items];
  const worker = async () => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await work(item);
  };
  const workers = Array.from({ length: 8 }, () =>
    worker().catch((error) => {
      rest.length = 0;
      throw error;
    }),
  );
  const outcomes = await Promise.allSettled(workers);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
