import { basename, join } from 'node:path';
import { publishedBlobPath } from '../binhost/binhost-paths.ts';
import type { ContainerDocument } from '../binhost/container-document.ts';
import { type ContainerEntry, containerTitle } from '../binhost/container-entry.ts';
import { MOST_MANIFEST_BYTES, parseImageManifest } from '../binhost/image-manifest.ts';
import type { Binhost } from '../binhost/open-binhost.ts';
import type { BlobReference } from '../binhost/published-record.ts';
import { trustedContainer } from '../binhost/read-container.ts';
import { selectContainers } from '../binhost/select-containers.ts';
import { inParallel } from '../binhost/upload-blobs.ts';
import { hostPlatform } from '../definition/host-platform.ts';
import { didYouMean } from '../document/closest-name.ts';
import type { AciImage } from '../image/assemble-aci.ts';
import type { OciImage } from '../image/assemble-oci.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { platformText } from '../model/platform.ts';
import { isImageTag } from '../publish/image-name.ts';
import { type OutputSpec, parseOutput } from '../publish/parse-output.ts';
import { publishImages } from '../publish/publish-images.ts';
import type { Published } from '../publish/published.ts';
import { refuseContent, unpackSpec } from '../publish/unpack-spec.ts';
import { withCollectionLock } from '../store/collection-lock.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize, openBlob, readBlob } from '../store/read-blob.ts';
import { openStore, type Store } from '../store/store.ts';
import { provideFlock } from './host-programs.ts';
import { offline } from './managed-place.ts';
import { openSharing, type SharingOptions } from './open-cache.ts';

export interface PullOptions extends SharingOptions {
  /** `TITLE[-VERSION|:VERSION]`. */
  readonly what: string;
  /** The only place to look at. */
  readonly from: string | undefined;
  /** `linux/amd64`; the host's own where it is there, else the latest. */
  readonly platform: string | undefined;
  /** Absolute; undefined: the container's name below `cwd`. */
  readonly directory: string | undefined;
  readonly cwd: string;
}

export interface Pulled {
  readonly title: string;
  readonly version: string;
  readonly platform: string;
  readonly place: string;
  readonly publishedAt: string;
}

export interface PulledSpec extends Pulled {
  readonly directory: string;
  readonly files: number;
  readonly packages: ContainerDocument['packages'];
}

export interface PulledImage extends Pulled {
  readonly images: readonly Published[];
}

/** Writes the spec of a container, from which the same HASHes are built, into a new directory. */
export async function pullSpec(options: PullOptions): Promise<PulledSpec> {
  return withContainer(options, async ({ store, binhost, document, pulled }) => {
    const directory = options.directory ?? join(options.cwd, document.name);
    await refuseContent(directory);
    await fetchBlobs(store, binhost, [document.spec], options);
    const files = await unpackSpec(openBlob(store, document.spec.digest), directory, `spec of ${pulled.title}`);
    return { ...pulled, directory, files, packages: document.packages };
  });
}

/** Writes the images of a container as they were published; nothing is built. */
export async function pullImage(options: PullOptions & { readonly outputs: readonly string[] }): Promise<PulledImage> {
  const outputs = options.outputs.map((text) => checkedOutput(parseOutput(text, options.cwd)));
  return withContainer(options, async ({ store, binhost, document, pulled }) => {
    const directory = options.directory ?? join(options.cwd, document.name);
    const acis = document.aci.map(aciOf);
    const wanted = outputs.length > 0 ? outputs : [defaultOutput(document, acis, directory)];
    requireImages(document, wanted);
    const types = new Set(wanted.map(({ type }) => type));
    const oci = types.has('oci') ? await fetchImages(store, binhost, document, options) : [];
    const aci = types.has('aci') ? acis : [];
    await fetchBlobs(store, binhost, aci, options);
    const images = await publishImages(
      store,
      { oci, aci, docker: notMade, rootArchive: notMade },
      { directory, outputs: wanted, signal: options.context.signal, witness: options.witness },
    );
    return { ...pulled, images };
  });
}

interface FoundContainer {
  readonly store: Store;
  readonly binhost: Binhost;
  readonly document: ContainerDocument;
  readonly pulled: Pulled;
}

async function withContainer<Result>(
  options: PullOptions,
  work: (found: FoundContainer) => Promise<Result>,
): Promise<Result> {
  const { config, context } = options;
  if (config.offline) throw offline(options.from ?? config.repository?.name ?? 'any');
  await provideFlock(options);
  const onWarning = (text: string) => context.emit({ kind: 'warning', text });
  const store = await openStore(config.store, { onWarning });
  const sharing = await openSharing(store, options);
  try {
    return await withCollectionLock(store, 'shared', async () => {
      const { binhost, document } = await findContainer(options, sharing.places);
      const { version, platform, time } = document;
      const pulled = { title: containerTitle(document), version, platform, place: binhost.name, publishedAt: time };
      return work({ store, binhost, document, pulled });
    });
  } finally {
    await sharing.close();
  }
}

type Places = Awaited<ReturnType<typeof openSharing>>['places'];

/** The first place that has it signed by somebody trusted; there the latest that counts. */
async function findContainer(
  options: PullOptions,
  places: Places,
): Promise<{ readonly binhost: Binhost; readonly document: ContainerDocument }> {
  const asked = placesToAsk(options, places);
  const doubts: string[] = [];
  const titles = new Set<string>();
  for (const place of asked) {
    const binhost = await place.open();
    if ('unusable' in binhost) {
      doubts.push(`'${place.name}' ${binhost.unusable}`);
      continue;
    }
    const { containers } = binhost.index.content;
    for (const entry of containers) titles.add(containerTitle(entry)).add(entry.name);
    const candidates = preferred(options, selectContainers(containers, options.what));
    refuseAmbiguous(options.what, candidates);
    for (const entry of candidates) {
      const document = await trustedContainer(binhost, entry, options.context.signal);
      if (typeof document !== 'string') return { binhost, document };
      doubts.push(document);
    }
  }
  throw notFound(options.what, asked, { doubts, titles });
}

function placesToAsk({ from }: PullOptions, places: Places): Places {
  const asked = from === undefined ? places : places.filter(({ name }) => name === from);
  if (asked.length > 0) return asked;
  const names = places.map(({ name }) => name);
  throw new BuilditError(
    'configuration-invalid',
    from === undefined
      ? 'Cannot pull: expected a binhost in the configuration, found none'
      : `Cannot pull from "${printable(from)}": expected the name of a configured binhost, found none`,
    {
      hint:
        from === undefined
          ? 'a repository with download-type and download-path: see `buildit schema buildit-config`'
          : (didYouMean(from, names) ?? (names.length > 0 ? `configured: ${names.join(', ')}` : undefined)),
    },
  );
}

function preferred({ platform }: PullOptions, entries: readonly ContainerEntry[]): readonly ContainerEntry[] {
  if (platform !== undefined) return entries.filter((entry) => entry.platform === platform);
  const host = platformText(hostPlatform());
  const own = entries.filter((entry) => entry.platform === host);
  return own.length > 0 ? own : entries;
}

function refuseAmbiguous(what: string, entries: readonly ContainerEntry[]): void {
  const titles = [...new Set(entries.map(containerTitle))];
  if (titles.length <= 1) return;
  throw new BuilditError('usage', `Cannot pull "${printable(what)}": expected one container, found ${titles.length}`, {
    hint: `name one of ${titles.join(', ')}`,
  });
}

function notFound(
  what: string,
  places: Places,
  { doubts, titles }: { readonly doubts: readonly string[]; readonly titles: ReadonlySet<string> },
): BuilditError {
  const shown = places.map(({ name }) => `'${name}'`).join(', ');
  if (doubts.length > 0) {
    const isUnreachable = doubts.every((doubt) => doubt.endsWith(' cannot be reached'));
    const isDamaged = doubts.every((doubt) => doubt.includes(' is damaged: '));
    return new BuilditError(
      isUnreachable ? 'unreachable' : 'signature-invalid',
      `Cannot pull "${printable(what)}": expected a container by somebody trusted at ${shown}, found none`,
      {
        details: doubts.map(printable),
        hint: isUnreachable
          ? 'the warnings say why'
          : isDamaged
            ? 'nobody needs to be trusted for this: the files there, or what stands between, must be repaired'
            : '`buildit key trust` adds whom you believe',
      },
    );
  }
  return new BuilditError(
    'file-missing',
    `Cannot pull "${printable(what)}": expected a container of that name at ${shown}, found none`,
    { hint: didYouMean(what, titles) ?? '`buildit search` lists what the places hold' },
  );
}

/** A manifest first, verified against the signed document; then what it names. */
async function fetchImages(
  store: Store,
  binhost: Binhost,
  document: ContainerDocument,
  options: PullOptions,
): Promise<readonly OciImage[]> {
  const [os, architecture] = document.platform.split('/') as ['linux', 'amd64'];
  await fetchBlobs(store, binhost, document.oci, options);
  const images: OciImage[] = [];
  for (const { digest, tags } of document.oci) {
    const bytes = await readBlob(store, digest, { maxBytes: MOST_MANIFEST_BYTES });
    const { config, layers } = parseImageManifest(bytes, `manifest sha256:${digest}`);
    await fetchBlobs(store, binhost, [config, ...layers], options);
    images.push({
      ...{
        kind: 'oci',
        name: document.name,
        platform: { os, architecture },
        tags: tagsOf(document, tags),
        layers,
        shared: [],
      },
      manifest: { digest, bytes },
      config: { digest: config.digest, bytes: await readBlob(store, config.digest, { maxBytes: MOST_CONFIG_BYTES }) },
    });
  }
  return images;
}

/** Somebody else's tags, less those that no engine takes. */
function tagsOf({ version }: ContainerDocument, tags: readonly string[]): readonly string[] {
  const usable = tags.filter(isImageTag);
  if (usable.length > 0) return usable;
  return isImageTag(version) ? [version] : ['latest'];
}

const MOST_CONFIG_BYTES = 16 * 2 ** 20;
const FETCHED_AT_ONCE = 8;

/** Brings blobs into the store, each refused unless it is what its digest says. */
async function fetchBlobs(
  store: Store,
  { name, reader }: Binhost,
  blobs: readonly BlobReference[],
  { context: { emit, signal } }: PullOptions,
): Promise<void> {
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  const task = `pull ${blobs[0]?.digest ?? ''}`;
  let done = 0;
  const count = (bytes: number) => {
    done += bytes;
    emit({ kind: 'task-progress', task, done, total });
  };
  emit({
    kind: 'task-started',
    task,
    label: `${blobs.length === 1 ? 'a file' : `${blobs.length} files`} from '${name}'`,
  });
  let outcome: 'done' | 'failed' = 'failed';
  try {
    await inParallel(blobs, FETCHED_AT_ONCE, async ({ digest, size }) => {
      if ((await blobSize(store, digest)) === size) return count(size);
      const path = publishedBlobPath(digest);
      const what = `${reader.shown}/${path}`;
      const chunks = await reader.open(path, { offset: 0, size, signal });
      if (chunks === 'missing')
        throw new BuilditError('file-missing', `Cannot fetch "${what}": expected the file, found none`);
      await putBlob(store, counted(chunks, count), { expected: digest, size, what });
    });
    outcome = 'done';
  } finally {
    emit({ kind: 'task-finished', task, outcome });
  }
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield chunk;
  }
}

/** `aci/linux/amd64/Sysadmin42/nginx-1.0.aci` is written as `nginx-1.0-linux-amd64.aci`, as a build writes it. */
function aciOf({ path, digest, size, imageId }: ContainerDocument['aci'][number]): AciImage {
  const [, os = '', arch = ''] = path.split('/');
  return { kind: 'aci', fileName: `${basename(path, '.aci')}-${os}-${arch}.aci`, imageId, digest, size };
}

function defaultOutput(document: ContainerDocument, acis: readonly AciImage[], directory: string): OutputSpec {
  if (document.oci.length > 0) return { type: 'oci', dest: directory };
  return { type: 'aci', dest: acis.length === 1 ? join(directory, acis[0]!.fileName) : directory };
}

function requireImages({ name, oci, aci }: ContainerDocument, outputs: readonly OutputSpec[]): void {
  for (const { type } of outputs) {
    if ((type === 'oci' ? oci : aci).length > 0) continue;
    const other = oci.length > 0 ? 'oci' : aci.length > 0 ? 'aci' : 'no image at all';
    throw new BuilditError('usage', `Cannot pull the image of "${name}": expected one of type ${type}, found ${other}`);
  }
}

function checkedOutput(output: OutputSpec): OutputSpec {
  if (output.type === 'oci' || output.type === 'aci') return output;
  throw new BuilditError('usage', `Cannot pull an image as ${output.type}: expected type=oci or type=aci`, {
    hint: 'pull the spec and build it: `buildit build --output` writes the others; or skopeo copies an OCI layout to them',
  });
}

function notMade(): never {
  throw new TypeError('an image that was pulled is written as it was published');
}
