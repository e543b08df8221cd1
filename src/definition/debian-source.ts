import { mapAt, scalarAt, scalarsAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import { nodeAt, type YamlMap, type YamlScalar } from '../document/yaml-node.ts';
import { isDebianPackageName, isDebianVersion } from '../model/names.ts';
import type { DebianSourceRequest } from '../model/package.ts';
import { acceptText } from './checked-text.ts';

/** Version of a package whose Debian source package is to be the newest, until a lock says which that is. */
export const UNKNOWN_VERSION = '0';

/**
 * What a recipe of `class: debian` is made of: `source: {debian: NAME, version: …}`. An image of it holds the binary
 * packages that `subpackages` lists, by default the one of the same name; a derivation's list takes the recipe's place.
 */
export function readDebianSource(
  root: YamlMap,
  change: YamlMap | undefined,
  problems: Problems,
): DebianSourceRequest | undefined {
  const source = mapAt(root, 'source');
  const name = accepted(scalarAt(source, 'debian'), 'source.debian', NAME, problems);
  if (name === undefined) {
    const hint = 'source: {debian: redis}, with an exact version if need be: {debian: redis, version: "5:7.0.15-1"}';
    problems.add(nodeAt(root, 'source') ?? root, 'Cannot use "class: debian": expected a Debian source package', {
      hint,
    });
    return undefined;
  }
  const version = accepted(scalarAt(source, 'version'), 'source.version', VERSION, problems);
  const listed = [...scalarsAt(change, 'subpackages'), ...scalarsAt(root, 'subpackages')];
  const own = scalarsAt(change, 'subpackages').length > 0 ? scalarsAt(change, 'subpackages') : listed;
  const binaries = own.flatMap((node) => accepted(node, 'subpackages', NAME, problems) ?? []);
  return { name, version, binaries: binaries.length > 0 ? binaries : [name] };
}

const NAME = { expected: 'the name of a Debian package such as redis', accepts: isDebianPackageName };
const VERSION = { expected: 'a Debian version such as 5:7.0.15-1~deb12u7', accepts: isDebianVersion };

function accepted(
  node: YamlScalar | undefined,
  label: string,
  { expected, accepts }: typeof NAME,
  problems: Problems,
): string | undefined {
  return acceptText(node && { node, text: node.text }, expected, accepts, { label, problems });
}
