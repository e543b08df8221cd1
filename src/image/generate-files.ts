import type { Platform } from '../model/platform.ts';
import { type ScriptEffect, scriptEffects } from '../model/script-effects.ts';
import type { GeneratedEntry } from './generated-layer.ts';
import type { ImageLayer } from './image-layer.ts';
import type { ImageMember } from './image-member.ts';
import { libraryCache } from './library-cache.ts';
import type { MergedTree } from './merge-tree.ts';
import { type ReadTreeFile, readTables, treeReader } from './tree-reader.ts';
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

/** What an image needs that no package ships: users and groups, the loader's cache, effects of maintainer scripts. */
export async function generateFiles(input: GenerateInput): Promise<GeneratedFiles> {
  const { tree, members, wanted, hasBase, platform } = input;
  const readBytes = treeReader(tree, input.packages);
  const readText = async (path: string) => (await readBytes(path)).toString('utf8');
  const before = await readTables(tree, readBytes);
  const users = addUsers(hasBase ? addDebianUsers(before, wanted) : before, wanted);
  const elf = members.flatMap(({ layer }) => layer.elf);
  const cache = await libraryCache({ tree, elf, platform, readText });
  const entries = [...tableEntries(tree, before, users), ...cacheEntry(cache)];
  for (const effect of scriptEffects(tree.entries)) entries.push(await effectEntry(effect, readBytes));
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

async function effectEntry(effect: ScriptEffect, readBytes: ReadTreeFile): Promise<GeneratedEntry> {
  const { path } = effect;
  if (effect.kind === 'link') return { path, kind: 'link', target: effect.target };
  const parts: Buffer[] = [];
  for (const part of effect.parts) parts.push(endedLine(await readBytes(part)));
  return { path, kind: 'file', mode: effect.mode, content: Buffer.concat(parts) };
}

function endedLine(bytes: Buffer): Buffer {
  return bytes.length === 0 || bytes.at(-1) === 0x0a ? bytes : Buffer.concat([bytes, Buffer.from('\n')]);
}
