import { createTarballFinder } from '../debian/create-tarball-finder.ts';
import type { FetchOptions } from '../fetch/fetch-sources.ts';
import type { Registries } from '../registry/find-registry-file.ts';
import type { Store } from '../store/store.ts';
import type { BuildOptions } from './contract.ts';

/** Where sources are fetched from: addresses of their own, Debian's pool, registries, and binhosts by digest. */
export function sourceOptions({
  store,
  options: { config, context },
  registries,
  takeBlob,
}: {
  readonly store: Store;
  readonly options: Pick<BuildOptions, 'config' | 'context'>;
  readonly registries: Registries;
  readonly takeBlob: FetchOptions['takeBlob'];
}): FetchOptions {
  const session = { store, context, config, takeBlob };
  const findTarball = createTarballFinder(session);
  return {
    ...session,
    findDebianTarball: (sourcePackage, sha256) => findTarball({ sourcePackage, sha256 }),
    findRegistryFile: (artefact) => registries.addressesOf(artefact),
  };
}
