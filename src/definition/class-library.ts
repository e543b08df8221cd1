import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { didYouMean } from '../document/closest-name.ts';
import type { Problems } from '../document/problems.ts';
import { readDocument, shownPath } from '../document/read-document.ts';
import { validateSchema } from '../document/validate-schema.ts';
import type { YamlMap, YamlScalar } from '../document/yaml-node.ts';
import { isClassName } from '../model/names.ts';
import type { Witness } from '../system/witness.ts';

/** The classes that come with buildit, in a clone and in an installed package alike. */
export const SHIPPED_CLASSES = fileURLToPath(new URL('../../classes', import.meta.url));

/** Where a repository's own classes lie. */
const DIRECTORY = 'classes';
const SUFFIX = '.yaml';

/** The class that a recipe without `class` has. */
export const COMMON_CLASS = 'none';

/** The classes that recipes can name: buildit's own, and those of their repository. Each file is read once. */
export interface ClassLibrary {
  /** The tree of a class's file; complains at the node that names it where there is none, and returns undefined. */
  find(node: YamlScalar, repositoryDirectory: string | undefined, problems: Problems): Promise<YamlMap | undefined>;
  /** The class "none", whose phases are those of every class that has no such phase itself. */
  none(): Promise<YamlMap | undefined>;
}

export function createClassLibrary({
  problems,
  witness,
}: {
  readonly problems: Problems;
  readonly witness: Witness | undefined;
}): ClassLibrary {
  const trees = new Map<string, Promise<YamlMap | undefined>>();

  const places = new Map<string, boolean>();
  const isThere = (directory: string, name: string): boolean => {
    const path = join(directory, `${name}${SUFFIX}`);
    const known = places.get(path);
    if (known !== undefined) return known;
    const found = existsSync(path);
    if (!found) witness?.missing(path);
    places.set(path, found);
    return found;
  };

  const read = (directory: string, boundary: string, name: string): Promise<YamlMap | undefined> => {
    const path = join(directory, `${name}${SUFFIX}`);
    const known = trees.get(path);
    if (known !== undefined) return known;
    const tree = readClass(boundary, path.slice(boundary.length + 1), { problems, witness });
    trees.set(path, tree);
    return tree;
  };

  return {
    async none() {
      return read(SHIPPED_CLASSES, SHIPPED_CLASSES, COMMON_CLASS);
    },

    async find(node, repositoryDirectory, complaints) {
      const name = node.text;
      // The schema has complained.
      if (!isClassName(name)) return undefined;
      const own = repositoryDirectory === undefined ? undefined : join(repositoryDirectory, DIRECTORY);
      const isShipped = isThere(SHIPPED_CLASSES, name);
      const isOwn = own !== undefined && isThere(own, name);
      if (isShipped && isOwn) {
        const file = shownPath(join(own, `${name}${SUFFIX}`));
        const message = `Cannot use the class "${name}": expected it once, found buildit's own and ${file}`;
        complaints.add(node, message, { hint: 'give the class of the repository another name' });
        return undefined;
      }
      if (isShipped) return read(SHIPPED_CLASSES, SHIPPED_CLASSES, name);
      if (isOwn) return read(own, repositoryDirectory!, name);
      const known = [...(await classNames(SHIPPED_CLASSES)), ...(own === undefined ? [] : await classNames(own))];
      complaints.expected(node, 'class', listed(known.sort()), { hint: didYouMean(name, known) });
      return undefined;
    },
  };
}

/** The file of a class that comes with buildit, by a name that `classNames` gave. */
export function readShippedClass(name: string, problems: Problems): Promise<YamlMap | undefined> {
  return readClass(SHIPPED_CLASSES, `${name}${SUFFIX}`, { problems, witness: undefined });
}

async function readClass(
  boundary: string,
  path: string,
  { problems, witness }: { readonly problems: Problems; readonly witness: Witness | undefined },
): Promise<YamlMap | undefined> {
  const root = await readDocument(boundary, path, { code: 'definition-invalid', witness });
  await validateSchema('class', root, problems, {});
  return root.kind === 'map' ? root : undefined;
}

/** The names of the classes whose files are in a directory, sorted; none where there is no such directory. */
export async function classNames(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory).catch(() => []);
  return entries
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .filter(isClassName)
    .sort();
}

function listed(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
