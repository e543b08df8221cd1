import { join } from 'node:path';
import type { Problems } from '../document/problems.ts';
import { resolveInside } from '../document/resolve-inside.ts';
import type { YamlNode } from '../document/yaml-node.ts';
import type { Witness } from '../system/witness.ts';

/** What a path of a definition must lead to. */
export type WantedKind = 'file' | 'directory' | 'either';

export interface LocateOptions {
  readonly node: YamlNode;
  readonly label: string;
  readonly wanted: WantedKind;
  readonly problems: Problems;
  readonly witness: Witness | undefined;
}

/** Finds a clean relative path below a directory, links resolved; complains when it is not there or leads elsewhere. */
export async function locateFile(
  directory: string,
  path: string,
  { node, label, wanted, problems, witness }: LocateOptions,
): Promise<{ readonly kind: 'file' | 'directory'; readonly path: string } | undefined> {
  const found = await resolveInside(directory, path);
  const expected = wanted === 'either' ? 'a file or a directory' : `a ${wanted}`;
  const refuse = (what: string, code?: 'file-missing'): undefined => {
    problems.add(node, `Cannot use "${path}" as "${label}": expected ${expected}, found ${what}`, code && { code });
    return undefined;
  };
  switch (found.kind) {
    case 'missing':
      witness?.missing(found.path);
      return refuse('none', 'file-missing');
    case 'outside':
      return refuse('a symbolic link that leaves the directory');
    case 'other':
      return refuse('a device, a pipe, a socket or something unreadable');
    default:
      // A link on the way may lead elsewhere the next time, although nothing there changed.
      witness?.read(join(directory, path));
      return wanted === 'either' || wanted === found.kind ? found : refuse(`a ${found.kind}`);
  }
}
