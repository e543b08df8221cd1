import type { Digest } from '../model/digest.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { publishedRecordPath, signaturePath } from './binhost-paths.ts';
import { type CommitOptions, commitContent } from './commit-entries.ts';
import { specPath } from './container-document.ts';
import { type ContainerEntry, containerKey } from './container-entry.ts';
import type { IndexContent, IndexEntry } from './index-part.ts';
import type { ListedRecord } from './place-listing.ts';
import { settleViews } from './publish-container.ts';
import { inParallel, MOST_AT_ONCE } from './upload-blobs.ts';

export interface EntriesToRemove {
  readonly packages: readonly IndexEntry[];
  readonly containers: readonly ContainerEntry[];
  /** Record files, named by the index or not. */
  readonly records: readonly ListedRecord[];
}

/**
 * Takes entries out of a place's index, then the files of their records and the names of their specs; blobs are left to
 * garbage collection. A cut run leaves files that no index names, which the same removal takes later. Answers the generation.
 */
export async function removeEntries(
  writer: RemoteWriter,
  { packages, containers, records }: EntriesToRemove,
  commit: CommitOptions,
): Promise<number> {
  const gonePackages = new Set(packages.map(recordKey));
  const goneContainers = new Set(containers.map(versionKey));
  let left: IndexContent | undefined;
  const generation = await commitContent(
    writer,
    (content) => {
      left = {
        packages: content.packages.filter((entry) => !gonePackages.has(recordKey(entry))),
        containers: content.containers.filter((entry) => !goneContainers.has(versionKey(entry))),
      };
      return left;
    },
    commit,
  );
  await inParallel(records, MOST_AT_ONCE, async ({ hash, key }) => {
    const path = publishedRecordPath(hash, key);
    await writer.remove(path);
    await writer.remove(signaturePath(path));
  });
  const specs = new Set(left?.containers.map(specPath));
  for (const path of containers.map(specPath)) if (!specs.has(path)) await writer.remove(path);
  await settleViews(writer, commit);
  return generation;
}

function recordKey({ hash, key }: { readonly hash: Digest; readonly key: Digest }): string {
  return `${hash} ${key}`;
}

/** A container that was published again meanwhile is another one. */
function versionKey(entry: ContainerEntry): string {
  return `${containerKey(entry)}\0${entry.document.digest}`;
}
