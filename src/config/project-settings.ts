import { isNull, positionOf, type YamlMap, type YamlNode } from '../document/yaml-node.ts';

/**
 * How a setting of a project's file counts as long as the user has not accepted that file. A setting that is not listed
 * here does not count: what is new decides nothing before somebody thought about it.
 */
export type ProjectRule =
  /** Names, places to read from, recipes, flags. */
  | 'counts'
  /** Only where it is below the user's value, or the default. */
  | 'lowers'
  /** Only with the value that asks for more. */
  | 'requires';

/** Dotted keys; members of lists have the key of their list. */
export const PROJECT_SETTINGS: Readonly<Record<string, ProjectRule>> = {
  'repository.name': 'counts',
  'repository.upload-type': 'counts',
  'repository.upload-path': 'counts',
  'repository.download-type': 'counts',
  'repository.download-path': 'counts',
  'repository.priority': 'counts',
  'repository.freshness': 'counts',
  'repository.timeout': 'lowers',
  'repository.verify': 'requires',
  'repositories.name': 'counts',
  'repositories.upload-type': 'counts',
  'repositories.upload-path': 'counts',
  'repositories.download-type': 'counts',
  'repositories.download-path': 'counts',
  'repositories.priority': 'counts',
  'repositories.freshness': 'counts',
  'repositories.timeout': 'lowers',
  'repositories.verify': 'requires',
  'recipes.name': 'counts',
  'recipes.path': 'counts',
  'recipes.git': 'counts',
  'recipes.ref': 'counts',
  'debian.mirror': 'counts',
  'registries.cargo': 'counts',
  'registries.go': 'counts',
  'registries.npm': 'counts',
  'registries.python': 'counts',
  'build.jobs': 'lowers',
  'build.timeout': 'lowers',
  'build.memory': 'lowers',
  'build.keep-failed': 'lowers',
  'use.with': 'counts',
  'use.without': 'counts',
};

export interface IgnoredSetting {
  /** Dotted key; of a whole mapping where nothing in it would count. */
  readonly key: string;
  readonly line: number;
}

export interface ProjectSettings {
  /** The file without the settings that do not count. */
  readonly counted: YamlMap;
  /** By key, each once. */
  readonly ignored: readonly IgnoredSetting[];
}

/** Takes the settings out of a project's file that only the user may set. */
export function projectSettings(root: YamlMap): ProjectSettings {
  const ignored = new Map<string, IgnoredSetting>();
  const counted = countedMembers(root, '', (key, node) => {
    if (!ignored.has(key)) ignored.set(key, { key, line: positionOf(node).line });
  });
  return { counted, ignored: [...ignored.values()].sort((a, b) => (a.key < b.key ? -1 : 1)) };
}

function countedMembers(map: YamlMap, prefix: string, ignore: (key: string, node: YamlNode) => void): YamlMap {
  const members = map.members.flatMap((member) => {
    const key = `${prefix}${member.name}`;
    if (member.name.startsWith('x-') || doesCount(key, member.value)) return [member];
    const below = Object.keys(PROJECT_SETTINGS).some((known) => known.startsWith(`${key}.`));
    if (below) return [{ ...member, value: countedBelow(member.value, `${key}.`, ignore) }];
    ignore(key, member.key);
    return [];
  });
  return { ...map, members };
}

function countedBelow(node: YamlNode, prefix: string, ignore: (key: string, node: YamlNode) => void): YamlNode {
  if (node.kind === 'map') return countedMembers(node, prefix, ignore);
  return node.kind === 'list' ? { ...node, items: node.items.map((item) => countedBelow(item, prefix, ignore)) } : node;
}

function doesCount(key: string, value: YamlNode): boolean {
  if (!Object.hasOwn(PROJECT_SETTINGS, key)) return isNull(value);
  return PROJECT_SETTINGS[key] !== 'requires' || (value.kind === 'scalar' && value.text === 'require');
}
