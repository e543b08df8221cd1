import type { Platform } from '../model/platform.ts';
import { alternativeLinks } from '../model/script-effects.ts';
import type { GeneratedEntry } from './generated-layer.ts';
import type { ImageLayer } from './image-layer.ts';
import type { ImageMember } from './image-member.ts';
import { libraryCache } from './library-cache.ts';
import type { MergedTree } from './merge-tree.ts';
import { readTables, treeReader } from './tree-reader.ts';
import { addDebianUsers, addUsers, type UserTables, type WantedUser } from './user-tables.ts';

export interface GenerateInput {
  /** Of the packages. */
  readonly tree: MergedTree;
  readonly packages: readonly ImageLayer[];
  readonly members: readonly ImageMember[];
  readonly wanted: readonly WantedUser[];
  /** Whether the image has the users of every Debian system: it begins with a base. */
  readonly hasBase: boolean;
  readonly platform: Platform;
}

export interface GeneratedFiles {
  readonly entries: readonly GeneratedEntry[];
  readonly users: UserTables;
}

/** What an image needs that no package ships: users and groups, the loader's cache, links of maintainer scripts. */
export async function generateFiles(input: GenerateInput): Promise<GeneratedFiles> {
  const { tree, members, wanted, hasBase, platform } = input;
  const readBytes = treeReader(tree, input.packages);
  const readText = async (path: string) => (await readBytes(path)).toString('utf8');
  const before = await readTables(tree, readBytes);
  const users = addUsers(hasBase ? addDebianUsers(before, wanted) : before, wanted);
  const elf = members.flatMap(({ layer }) => layer.elf);
  const cache = await libraryCache({ tree, elf, platform, readText });
  const entries = [...tableEntries(tree, before, users), ...cacheEntry(cache)];
  for (const effect of alternativeLinks(tree.entries)) {
    entries.push({ path: effect.path, kind: 'link', target: effect.target });
  }
  return { entries, users };
}

/** Tables that changed, with the mode and group that the base gives them. */
function tableEntries(tree: MergedTree, before: UserTables, after: UserTables): GeneratedEntry[] {
  const tables = [
    { path: 'etc/passwd', old: before.passwd, text: after.passwd, mode: 0o644 },
    { path: 'etc/group', old: before.group, text: after.group, mode: 0o644 },
    { path: 'etc/shadow', old: before.shadow, text: after.shadow, mode: 0o600 },
  ];
  return tables.flatMap(({ path, old, text, mode }) => {
    if (text === undefined || text === old) return [];
    const below = tree.entries.get(path)?.entry ?? { mode, gid: 0 };
    return [{ path, kind: 'file', mode: below.mode, gid: below.gid, content: Buffer.from(text) }];
  });
}

function cacheEntry(cache: Uint8Array | undefined): GeneratedEntry[] {
  return cache === undefined ? [] : [{ path: 'etc/ld.so.cache', kind: 'file', mode: 0o644, content: cache }];
}
