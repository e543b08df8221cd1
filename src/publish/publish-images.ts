import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AciImage } from '../image/assemble-aci.ts';
import type { OciImage } from '../image/assemble-oci.ts';
import { append } from '../model/append.ts';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import { linkBlob } from '../store/link-blob.ts';
import type { Store } from '../store/store.ts';
import { syncDirectory } from '../system/files.ts';
import { requireRealDirectories } from '../system/real-directories.ts';
import { dockerArchive, ociArchive } from './image-archive.ts';
import type { OutputSpec } from './parse-output.ts';
import { withPublishLock } from './publish-lock.ts';
import type { Published, WriteWitness } from './published.ts';
import { publishedImage, writeLayout } from './write-layout.ts';
import { prepareDestination, writeStream } from './write-stream.ts';

/** The images of one container. What only some outputs need is made when it is asked for. */
export interface ImagesToPublish {
  readonly oci: readonly OciImage[];
  readonly aci: readonly AciImage[];
  /** The OCI images with gzipped or plain layers. */
  docker(): Promise<readonly OciImage[]>;
  /** The whole file system as a tar. */
  rootArchive(): AsyncIterable<Uint8Array>;
}

export interface PublishOptions {
  /** Where everything goes when `outputs` is empty: `oci/` and `*.aci` below it. */
  readonly directory: string;
  readonly outputs: readonly OutputSpec[];
  readonly signal?: AbortSignal;
  readonly witness?: WriteWitness;
}

/** Writes images where the user wants them. Each file or layout appears whole or not at all. */
export async function publishImages(
  store: Store,
  images: ImagesToPublish,
  { directory, outputs, signal, witness }: PublishOptions,
): Promise<Published[]> {
  refuseEqualNames(images.aci);
  if (outputs.length === 0) refuseLinkedOutput(directory);
  const published: Published[] = [];
  for (const output of outputs.length > 0 ? outputs : defaultOutputs(images, directory)) {
    signal?.throwIfAborted();
    const write = () => writeOutput(store, images, output, witness);
    append(published, await withPublishLock(store, output.dest, signal, write));
  }
  return published;
}

/**
 * The usual place is below a directory that may come from anybody: every element of it is a real directory. With `--output` the user names the place, which may be behind links.
 */
export function refuseLinkedOutput(out: string): void {
  const hint = 'remove it, or name where images go with --output type=oci,dest=PATH';
  requireRealDirectories(dirname(out), join(out, 'oci', 'blobs', 'sha256'), hint);
}

function defaultOutputs({ oci, aci }: ImagesToPublish, directory: string): OutputSpec[] {
  return [
    ...(oci.length > 0 ? [{ type: 'oci', dest: join(directory, 'oci') } as const] : []),
    ...aci.map(({ fileName }) => ({ type: 'aci', dest: join(directory, checkedName(fileName)) }) as const),
  ];
}

async function writeOutput(
  store: Store,
  images: ImagesToPublish,
  { type, dest }: OutputSpec,
  witness: WriteWitness | undefined,
): Promise<Published[]> {
  switch (type) {
    case 'oci':
      return dest.endsWith('.tar')
        ? writeOciArchive(store, images.oci, dest, witness)
        : writeLayout(store, images.oci, dest, witness);
    case 'aci':
      return writeAcis(store, images.aci, dest, witness);
    case 'docker': {
      const all = await images.docker();
      const file = await writeStream(dest, dockerArchive(store, all));
      witness?.wrote(dest);
      const published = all.map((image) => publishedImage(image, dest));
      const [tags, blobs] = [published.flatMap((image) => image.tags ?? []), published.flatMap((image) => image.blobs)];
      return [{ kind: 'docker', path: dest, digest: `sha256:${file.digest}`, size: file.size, tags, blobs }];
    }
    case 'tar': {
      const { digest, size } = await writeStream(dest, images.rootArchive());
      witness?.wrote(dest);
      return [{ kind: 'tar', path: dest, digest: `sha256:${digest}`, size, blobs: [] }];
    }
  }
}

async function writeOciArchive(
  store: Store,
  images: readonly OciImage[],
  path: string,
  witness: WriteWitness | undefined,
): Promise<Published[]> {
  const { size } = await writeStream(path, ociArchive(store, images));
  witness?.wrote(path);
  return images.map((image) => ({ ...publishedImage(image, path), size }));
}

/** One image goes to the path itself, unless that is a directory; several go below it under their own names. */
async function writeAcis(
  store: Store,
  images: readonly AciImage[],
  dest: string,
  witness: WriteWitness | undefined,
): Promise<Published[]> {
  const own = images.filter(({ fileName }) => dest.endsWith(`/${fileName}`));
  if (own.length === 1) return [await writeAci(store, own[0]!, dest, witness)];
  const isDirectory = images.length > 1 || (await stat(dest).catch(() => undefined))?.isDirectory() === true;
  const published: Published[] = [];
  for (const image of images) {
    const path = isDirectory ? join(dest, checkedName(image.fileName)) : dest;
    published.push(await writeAci(store, image, path, witness));
  }
  return published;
}

async function writeAci(
  store: Store,
  { imageId, digest, size }: AciImage,
  path: string,
  witness: WriteWitness | undefined,
): Promise<Published> {
  await prepareDestination(path);
  await linkBlob(store, digest, path);
  await syncDirectory(dirname(path));
  witness?.stored(path);
  return { kind: 'aci', path, digest: `sha256:${digest}`, imageId, size, blobs: [digest] };
}

function checkedName(fileName: string): string {
  if (isCleanRelativePath(fileName) && !fileName.includes('/')) return fileName;
  throw new TypeError(`"${fileName}" is not a file name`);
}

function refuseEqualNames(images: readonly AciImage[]): void {
  const names = images.map(({ fileName }) => fileName);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new BuilditError('definition-invalid', `Cannot write two ACI images to "${printable(twice)}"`, {
    hint: 'a container has one ACI for each platform: leave one of the image steps away',
  });
}
