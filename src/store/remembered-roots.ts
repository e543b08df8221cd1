import { lstatSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { canonicalJson } from '../model/canonical-json.ts';
import { type Digest, isDigest, sha256 } from '../model/digest.ts';
import { isText, listOf, objectOf, shaped, textThat } from '../model/json-shape.ts';
import type { Hash } from '../model/package-hash.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import { readDocument, writeDocument } from './document.ts';
import { namesIn } from './names-in.ts';
import { plainJson } from './plain-json.ts';
import type { Store } from './store.ts';
import { usePath } from './store-paths.ts';

/** What something outside the store relies on: packages by HASH; blobs and layers by digest. */
export interface RootUse {
  readonly hashes: readonly Hash[];
  readonly digests: readonly Digest[];
}

/** A root of garbage collection. It counts for as long as `path`, an out directory or a lock file, is there. */
export interface RememberedRoot extends RootUse {
  readonly path: string;
  readonly isThere: boolean;
}

const isRoot = objectOf({ path: isText, hashes: listOf(textThat(isDigest)), digests: listOf(textThat(isDigest)) });

export const parseRoot = shaped(isRoot);

/** Remembers what the directory or file at `path` relies on, in place of what was remembered for it before. */
export async function rememberRoot(store: Store, path: string, { hashes, digests }: RootUse): Promise<void> {
  const root = { path: resolve(path), hashes: sortedSet(hashes), digests: sortedSet(digests) };
  const name = usePath(store, sha256(root.path));
  const known = readDocument(store, name, { parse: parseRoot });
  if (known === undefined || canonicalJson(plainJson(known)) !== canonicalJson(plainJson(root)))
    await writeDocument(store, name, root);
}

/** All roots that are remembered. A damaged one is left out and removed with a warning; the next build writes it again. */
export function listRoots(store: Store): readonly RememberedRoot[] {
  const top = join(store.directory, 'uses');
  return namesIn(top)
    .flatMap((shard) => namesIn(join(top, shard)))
    .filter(isDigest)
    .flatMap((key) => {
      const root = readDocument(store, usePath(store, key), { parse: parseRoot });
      return root === undefined ? [] : [{ ...root, isThere: isThere(root.path) }];
    });
}

function sortedSet(digests: readonly Digest[]): readonly Digest[] {
  return [...new Set(digests)].sort();
}

/** Only what is certainly gone is gone: a directory that cannot be looked into may be mounted again tomorrow. */
function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '');
  }
}
