import { mkdirSync } from 'node:fs';
import { ensureIdentity } from '../../src/binhost/binhost-identity.ts';
import { commitEntries } from '../../src/binhost/commit-entries.ts';
import { compressPart } from '../../src/binhost/compressed-part.ts';
import type { IndexEntry } from '../../src/binhost/index-part.ts';
import { type Digest, sha256 } from '../../src/model/digest.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { keyId } from '../../src/signing/public-key.ts';
import { builderOptions } from './made-packages.ts';
import { type Place, removeTree } from './place.ts';

/**
 * Makes a binhost that names so many packages, in a base and a tail of an index; what is named is not there. Answers the
 * HASHes.
 */
export async function makeIndex(
  place: Place,
  directory: string,
  { inBase, inTail }: { readonly inBase: number; readonly inTail: number },
): Promise<readonly Digest[]> {
  removeTree(directory);
  mkdirSync(directory, { recursive: true });
  const writer = openFilePlace(directory);
  const { name, ...options } = builderOptions(place);
  const identity = await ensureIdentity(writer, name);
  const key = keyId(options.signer.publicKey);
  const entries = Array.from({ length: inBase + inTail }, (_, index) => entryOf(index, key));
  const commit = (packages: readonly IndexEntry[], refold: boolean) =>
    commitEntries(writer, { packages, containers: [] }, { ...options, identity }, { refold });
  await commit(entries.slice(0, inBase), true);
  await commit(entries.slice(inBase), false);
  return entries.map(({ hash }) => hash);
}

/** The largest tail of such packages that weighs no more than so many bytes. */
export async function entriesInTail(place: Place, mostBytes: number): Promise<number> {
  const key = keyId(builderOptions(place).signer.publicKey);
  let [fits, tooMany] = [0, 10_000];
  while (tooMany - fits > 1) {
    const count = (fits + tooMany) >> 1;
    const packages = Array.from({ length: count }, (_, index) => entryOf(index, key));
    const { bytes } = await compressPart({ packages, containers: [] });
    if (bytes.length <= mostBytes) fits = count;
    else tooMany = count;
  }
  return fits;
}

function entryOf(index: number, key: Digest): IndexEntry {
  const name = `bench/package-${index}`;
  return {
    hash: sha256(`hash of ${name}`),
    buildKey: sha256(`build key of ${name}`),
    key,
    name,
    version: `1.${index % 100}-${index % 7}`,
    platform: 'linux/amd64',
    size: 10_000 + ((index * 7919) % 1_000_000),
  };
}
