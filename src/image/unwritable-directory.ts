import type { ImageDefinition } from '../model/container.ts';
import type { ImageContent } from './prepare-content.ts';
import { runAs } from './run-as.ts';
import { resolveInTree } from './tree-path.ts';

/** A working directory that an image does not hold: engines make it, root's and 0755. */
export interface MadeDirectory {
  readonly directory: string;
  /** As whom the image starts. */
  readonly uid: number;
}

/** Tells of an image that starts as a user other than root in a directory that engines have to make. */
export function unwritableDirectory(definition: ImageDefinition, content: ImageContent): MadeDirectory | undefined {
  const { uid, directory } = runAs([definition], content);
  if (uid === 0) return undefined;
  const { entries } = content.tree;
  const resolved = resolveInTree((path) => entries.get(path)?.entry, directory, { followLast: true });
  const isThere = resolved.kind === 'blocked' || resolved.path === '' || entries.has(resolved.path);
  return isThere ? undefined : { directory, uid };
}
