import { type Place, removeTree } from './place.ts';

/** Arguments that give podman or buildah a storage of its own below the place. */
export function storageArguments(place: Place, engine: 'podman' | 'buildah'): readonly string[] {
  const options = ['--root', place.path(engine, 'storage'), '--runroot', place.path(engine, 'run')];
  return engine === 'podman' ? ['--cgroup-manager', 'cgroupfs', ...options] : options;
}

/** Builds a container file with podman's cache; the first time it fills that cache. */
export function podmanBuild(place: Place, context: string, name: string): readonly string[] {
  const build = ['build', '--layers', '--network', 'none', '--tag', `localhost/${name}`, context];
  return ['podman', ...storageArguments(place, 'podman'), ...build];
}

export function removeStorage(place: Place, engine: 'podman' | 'buildah'): void {
  removeTree(place.path(engine));
}
