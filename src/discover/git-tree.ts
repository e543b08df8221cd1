import { isUtf8 } from 'node:buffer';
import { dirname, join } from 'node:path/posix';
import { BuilditError } from '../model/errors.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import { isRepositoryElement } from '../model/repository-names.ts';

export interface GitEntry {
  readonly kind: 'file' | 'program' | 'link';
  /** Object id of the content. */
  readonly id: string;
  /** Bytes of the content; of a link, of its target. */
  readonly size: number;
  readonly path: string;
}

export interface GitTreeLimits {
  readonly entries: number;
  readonly fileBytes: number;
  readonly totalBytes: number;
}

const KINDS: Readonly<Record<string, GitEntry['kind']>> = {
  '100644': 'file',
  '100664': 'file',
  '100755': 'program',
  '120000': 'link',
};
const SUBMODULE = '160000';
const LONGEST_TARGET = 4095;
const MAXIMUM_DEPTH = 64;

/**
 * Reads what `git ls-tree -r -z -l --full-tree` lists, and decides that it can be written into an empty directory without
 * ever leaving that. Submodules are left out, as a plain clone leaves them empty.
 *
 * @throws BuilditError `archive-refused` for the first entry that is anything but a harmless file or link.
 */
export function readGitTree(listing: Buffer, what: string, limits: GitTreeLimits): readonly GitEntry[] {
  const refuse = (path: string, expected: string, found: string): never => {
    const shown = printable(path.slice(0, 200));
    throw new BuilditError('archive-refused', `Cannot use "${shown}" of ${what}: expected ${expected}, found ${found}`);
  };
  const entries: GitEntry[] = [];
  const kinds = new Map<string, 'directory' | GitEntry['kind']>();
  let totalBytes = 0;
  for (let at = 0; at < listing.length; ) {
    const tab = listing.indexOf('\t', at);
    const end = listing.indexOf(0, at);
    const header = /^(\d{6}) (?:blob|commit) ([0-9a-f]{40,64}) +(\d{1,15}|-|BAD)$/.exec(
      listing.toString('latin1', at, tab),
    );
    if (tab < 0 || end < tab || header === null) return refuse('the list of files', 'an entry', 'something else');
    const [, mode = '', id = '', size = ''] = header;
    const name = listing.subarray(tab + 1, end);
    const path = name.toString('utf8');
    at = end + 1;
    if (size === 'BAD') refuse(path, 'its content', 'none: the clone is partial or damaged');
    if (mode === SUBMODULE) continue;
    const kind = KINDS[mode] ?? refuse(path, 'a file or a link', `the mode ${mode}`);
    if (!isUtf8(name) || !isHarmlessPath(path)) refuse(path, 'a name that stays inside', 'another one');
    enter(path, kind);
    totalBytes += Number(size);
    if (Number(size) > limits.fileBytes) refuse(path, `at most ${limits.fileBytes} bytes`, size);
    if (kind === 'link' && Number(size) > LONGEST_TARGET) refuse(path, 'a link', `a target of ${size} bytes`);
    if (totalBytes > limits.totalBytes) refuse(path, `at most ${limits.totalBytes} bytes in all`, 'more');
    entries.push({ kind, id, size: Number(size), path });
    if (entries.length > limits.entries) refuse(path, `at most ${limits.entries} files`, 'more');
  }
  return entries;

  /** Nothing lies below a file or a link, and nothing is there twice. */
  function enter(path: string, kind: GitEntry['kind']): void {
    if (kinds.has(path)) refuse(path, 'each name once', 'it again');
    kinds.set(path, kind);
    for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
      const known = kinds.get(parent);
      if (known === 'directory') return;
      if (known !== undefined) refuse(path, 'a directory above it', `a ${known}`);
      kinds.set(parent, 'directory');
    }
  }
}

function isHarmlessPath(path: string): boolean {
  const elements = path.split('/');
  return (
    isCleanRelativePath(path) &&
    printable(path) === path &&
    elements.length <= MAXIMUM_DEPTH &&
    !elements.some(isRepositoryElement)
  );
}

/**
 * Whether a link at `path` stays inside. `..` may stand at the beginning of a target only: there it steps through real
 * directories, since nothing lies below a link. What follows may lead through other links, each of which stays inside.
 */
export function isLinkInside(path: string, target: string): boolean {
  if (target === '' || target.includes('\0') || target.startsWith('/') || printable(target) !== target) return false;
  const [, above = '', rest = ''] = /^((?:\.\.(?:\/+|$)|\.(?:\/+|$))*)(.*)$/s.exec(target) ?? [];
  if (rest.split('/').includes('..')) return false;
  const start = join('/', dirname(path));
  const steps = above.split('/').filter((step) => step === '..').length;
  return steps <= start.split('/').filter((element) => element !== '').length;
}
