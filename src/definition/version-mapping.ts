import { mapAt } from '../document/fields.ts';
import type { YamlMap } from '../document/yaml-node.ts';

/** What a recipe says of one of its versions alone: digests, patches, variables. */
export function versionMapping(root: YamlMap, version: string): YamlMap | undefined {
  return mapAt(mapAt(root, 'versions'), version);
}
