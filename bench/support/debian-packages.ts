import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { convertDebs } from '../../src/debian/convert-debs.ts';
import { fetchDebs } from '../../src/debian/fetch-debs.ts';
import { ensureTree } from '../../src/layer/ensure-tree.ts';
import { readContainerLock, readRepositoryLock } from '../../src/lock/lock-file.ts';
import type { DebianPin } from '../../src/model/lock.ts';
import { openStore } from '../../src/store/store.ts';
import { blobPath } from '../../src/store/store-paths.ts';
import { benchConfig, REPOSITORY, silentContext } from './buildit.ts';
import { type Place, removeTree } from './place.ts';

/** The Debian packages of a container's image. */
export async function imagePins(containerDirectory: string): Promise<readonly DebianPin[]> {
  const lock = await readContainerLock(containerDirectory);
  return Object.values(lock!.debian);
}

/** What every root for compiling consists of: Essential, build-essential and what they need. */
export async function toolchainPins(): Promise<readonly DebianPin[]> {
  const { roots } = (await readRepositoryLock(join(REPOSITORY, 'repos', 'main')))!.lock;
  const essential = Object.values(roots).filter((pin) => pin.essential === true);
  const names = new Set([...essential.map(({ name }) => name), 'build-essential', 'usr-is-merged']);
  for (const name of names) for (const needed of roots[name]!.depends) names.add(needed);
  return [...names].map((name) => roots[name]!);
}

/** Writes packages as files named by their archive, hard links of the store's blobs; answers the directory. */
export async function debFiles(place: Place, pins: readonly DebianPin[], name: string): Promise<string> {
  const store = await openStore(place.store);
  await fetchDebs(store, pins, { config: await benchConfig(place), context: silentContext() });
  const directory = place.path(name);
  removeTree(directory);
  mkdirSync(directory);
  for (const pin of pins) {
    const version = pin.version.replaceAll(':', '%3a');
    linkSync(blobPath(store, pin.sha256), join(directory, `${pin.name}_${version}_${pin.architecture}.deb`));
  }
  return directory;
}

/** Unpacks packages in the store and answers the path of each one's tree. */
export async function debTrees(place: Place, pins: readonly DebianPin[]): Promise<readonly string[]> {
  const store = await openStore(place.store);
  const { signal } = silentContext();
  await fetchDebs(store, pins, { config: await benchConfig(place), context: silentContext() });
  const trees: string[] = [];
  for await (const { converted } of convertDebs(store, pins, { signal })) {
    trees.push(await ensureTree(store, converted.layer));
  }
  return trees;
}

/** A fresh store that holds nothing but the packages' `.deb` files. */
export async function storeOfDebs(place: Place, pins: readonly DebianPin[], name: string): Promise<string> {
  const full = await openStore(place.store);
  const directory = place.path(name);
  removeTree(directory);
  const store = await openStore(directory);
  for (const { sha256 } of pins) {
    const path = blobPath(store, sha256);
    mkdirSync(join(path, '..'), { recursive: true });
    linkSync(blobPath(full, sha256), path);
  }
  return directory;
}

/** Pins as a file for one of the programs. */
export function pinsFile(place: Place, pins: readonly DebianPin[], name: string): string {
  const path = place.path(name);
  writeFileSync(path, JSON.stringify(pins));
  return path;
}
