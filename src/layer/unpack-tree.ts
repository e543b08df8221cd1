import { archiveRefusal } from './archive-refusal.ts';
import type { TarMember } from './tar-member.ts';
import { TreeWriter } from './tree-writer.ts';

export interface UnpackOptions {
  /** Leading path elements to remove; members with no more than these are left out. */
  readonly strip?: number;
  /** Clean relative path below the directory to put everything in. */
  readonly prefix?: string;
  /** Another clean relative path for a member's (after `strip`, before `prefix`), or undefined to leave it out. */
  readonly mapPath?: (path: string) => string | undefined;
  /** Members to unpack; all by default. */
  readonly filter?: (member: TarMember) => boolean;
  /** Told of each member that was unpacked, with the path it was given. */
  readonly onEntry?: (path: string, member: TarMember) => void;
  /** `last`: a later file of the same path replaces an earlier one, as tar does; `refuse` by default. */
  readonly duplicates?: 'refuse' | 'last';
  /** What the archive is called in messages. */
  readonly what?: string;
}

export interface UnpackedTree {
  readonly entries: number;
  /** Sum of the sizes of files. */
  readonly bytes: number;
  /** The newest time of a member, in seconds; undefined for an empty archive. */
  readonly newestMtime: number | undefined;
}

/**
 * Unpacks an archive into a fresh directory, which must exist, be empty, and be nobody else's. Files and directories are
 * made writable for their owner and readable for all, keep their execute bits and their times; set-id bits, owners and
 * attributes are dropped. Refused ('archive-refused') are devices and fifos, duplicates, a path below something that is
 * no directory, and hard links to anything but an earlier file of the archive. Symbolic links keep their text, wherever
 * it points; nothing here follows them, and what reads the tree later must not either.
 */
export async function unpackTree(
  members: AsyncIterable<TarMember>,
  directory: string,
  options: UnpackOptions = {},
): Promise<UnpackedTree> {
  const { what = 'archive', filter = () => true, onEntry } = options;
  const tree = new TreeWriter(directory, options);
  const place = (path: string) => placeOf(path, options);
  let entries = 0;
  let bytes = 0;
  let newestMtime: number | undefined;
  for await (const member of members) {
    const path = place(member.path);
    if (path === undefined || !filter(member)) continue;
    await unpackMember(tree, path, member, place, what);
    onEntry?.(path, member);
    entries += 1;
    bytes += member.size;
    newestMtime = Math.max(newestMtime ?? member.mtime, member.mtime);
  }
  tree.finish();
  return { entries, bytes, newestMtime };
}

async function unpackMember(
  tree: TreeWriter,
  path: string,
  member: TarMember,
  place: (path: string) => string | undefined,
  what: string,
): Promise<void> {
  switch (member.type) {
    case 'file':
      if (member.whole === undefined) await tree.addFile(path, member);
      else tree.addWholeFile(path, member, member.whole);
      return;
    case 'directory':
      tree.addDirectory(path, member);
      return;
    case 'symlink':
      tree.addSymlink(path, member);
      return;
    case 'hardlink':
      tree.addHardLink(path, place(member.target) ?? member.target);
      return;
    default:
      throw archiveRefusal(`${what}: ${member.path}`, 'a file, directory or link', `a ${member.type}`);
  }
}

function placeOf(path: string, { strip = 0, prefix, mapPath }: UnpackOptions): string | undefined {
  const rest = stripped(path, strip);
  if (rest === undefined) return undefined;
  const mapped = mapPath === undefined ? rest : mapPath(rest);
  return mapped === undefined || prefix === undefined || prefix === '.' ? mapped : `${prefix}/${mapped}`;
}

function stripped(path: string, count: number): string | undefined {
  let start = 0;
  for (let i = 0; i < count; i += 1) {
    const slash = path.indexOf('/', start);
    if (slash < 0) return undefined;
    start = slash + 1;
  }
  return path.slice(start);
}
