import { textAt } from '../document/fields.ts';
import type { YamlMap } from '../document/yaml-node.ts';
import { VERSION_SCHEMES, type VersionScheme } from '../model/version-scheme.ts';

/** How the versions of a recipe are compared; `loose` where it says nothing. */
export function readScheme(root: YamlMap): VersionScheme {
  return VERSION_SCHEMES.find((known) => known === textAt(root, 'version-scheme')) ?? 'loose';
}
