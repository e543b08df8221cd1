import type { Config, RunContext } from '../model/config.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError, throwCollected } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { PackageSource, SourceLocation } from '../model/package.ts';
import { artefactPurl, type RegistryArtefact } from '../model/registry.ts';
import { blobSize } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import type { HttpTuning } from './download-blob.ts';
import { failuresOf } from './failures-of.ts';
import { fetchFromPlaces, type SourcePlace } from './fetch-from-places.ts';
import { keepFile } from './keep-file.ts';

/** Where the original tarball of a Debian source package with this digest lies; undefined where no suite has it. */
export type FindDebianTarball = (
  sourcePackage: string,
  sha256: Digest,
) => Promise<{ readonly urls: readonly string[]; readonly size: number } | undefined>;

/** Addresses of a file of a language's registry; throws where no registry is known. */
export type FindRegistryFile = (
  artefact: RegistryArtefact,
) => Promise<readonly { readonly url: string; readonly allowHttp: boolean }[]>;

export interface FetchOptions {
  readonly store: Store;
  readonly context: RunContext;
  readonly config: Pick<Config, 'offline'>;
  readonly findDebianTarball: FindDebianTarball;
  readonly findRegistryFile?: FindRegistryFile | undefined;
  /** Brings a file by its digest from elsewhere when no place of its own has it; false where that has it neither. */
  readonly takeBlob?: ((digest: Digest, maximumBytes: number) => Promise<boolean>) | undefined;
  /** Time-outs and retries, for tests. */
  readonly http?: HttpTuning | undefined;
}

/** The largest source; linux and its like are a tenth of it. */
const MAXIMUM_SOURCE_BYTES = 4 * 1024 ** 3;

/**
 * Brings every source into the store, verified. What is there by digest is not fetched, nor looked for. All failures are
 * reported together.
 */
export async function fetchSources(sources: readonly PackageSource[], options: FetchOptions): Promise<void> {
  const failures = [...(await failedSources(sources, options)).values()];
  throwCollected(failures.sort((a, b) => (a.message < b.message ? -1 : 1)));
}

/** The same, and answers the failures by the digest of the source. */
export async function failedSources(
  sources: readonly PackageSource[],
  options: FetchOptions,
): Promise<ReadonlyMap<Digest, BuilditError>> {
  const unique = [...new Map(sources.map((source) => [source.sha256, source])).values()];
  return failuresOf(
    unique,
    ({ sha256 }) => sha256,
    (source) => fetchSource(source, options),
  );
}

async function fetchSource(source: PackageSource, options: FetchOptions): Promise<void> {
  const { store, config, context } = options;
  if ((await blobSize(store, source.sha256)) !== undefined) return;
  if (source.location.kind === 'file') {
    await keepFile(store, source.location.path, source.sha256);
    return;
  }
  if (config.offline) {
    throw new BuilditError(
      'offline',
      `Cannot fetch "${printable(source.fileName)}": expected it in the store, found it missing and --offline`,
      { hint: 'run once without --offline', details: [`sha256 ${source.sha256}`] },
    );
  }
  const task = `fetch:${source.sha256}`;
  context.emit({ kind: 'task-started', task, label: `fetching ${printable(source.fileName)}` });
  let outcome: 'done' | 'failed' = 'failed';
  try {
    const places = placesOf(source.location, source.sha256, options);
    const wanted = {
      store,
      context,
      http: options.http,
      sha256: source.sha256,
      name: source.fileName,
      maximumBytes: MAXIMUM_SOURCE_BYTES,
      task,
    };
    await fetchFromPlaces(places, wanted).catch(async (error: unknown) => {
      if (context.signal.aborted || !(await options.takeBlob?.(source.sha256, MAXIMUM_SOURCE_BYTES))) throw error;
    });
    outcome = 'done';
  } finally {
    context.emit({ kind: 'task-finished', task, outcome });
  }
}

/** In order: the project's own addresses, then the mirrors. A Debian mirror is asked for only when it is reached. */
function placesOf(
  location: Exclude<SourceLocation, { kind: 'file' }>,
  sha256: Digest,
  { findDebianTarball, findRegistryFile, http }: FetchOptions,
): SourcePlace[] {
  if (location.kind === 'registry') {
    const { artefact, size } = location;
    const find = async () => {
      const found = (await findRegistryFile?.(artefact)) ?? [];
      return found.map((address) => ({ ...address, ...(size === undefined ? {} : { size }) }));
    };
    return [{ name: artefactPurl(artefact), find }];
  }
  const { urls, mirrors } = location;
  const allowHttp = http?.allowHttp === true;
  const direct = (url: string): SourcePlace => ({ name: url, find: async () => [{ url, allowHttp }] });
  return [
    ...urls.map(direct),
    ...mirrors.map((mirror): SourcePlace => {
      if (mirror.kind === 'url') return direct(mirror.url);
      return {
        name: `the Debian source package ${mirror.sourcePackage}`,
        find: async () => {
          const found = await findDebianTarball(mirror.sourcePackage, sha256);
          return (found?.urls ?? []).map((url) => ({ url, size: found!.size, allowHttp: true }));
        },
      };
    }),
  ];
}
