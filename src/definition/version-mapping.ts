import { mapAt } from '../document/fields.ts';
import { nodeAt, type YamlMap, type YamlNode } from '../document/yaml-node.ts';

/** What a recipe says of one of its versions alone: digests, sources, patches, variables. */
export function versionMapping(root: YamlMap, version: string): YamlMap | undefined {
  return mapAt(mapAt(root, 'versions'), version);
}

/** The `source` of a recipe at one version: the version's own in place of that of all. */
export function sourceAt(root: YamlMap, version: string): YamlNode | undefined {
  return nodeAt(versionMapping(root, version), 'source') ?? nodeAt(root, 'source');
}
