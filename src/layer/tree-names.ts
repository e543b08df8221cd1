import { archiveRefusal } from './archive-refusal.ts';
import type { TarMember } from './tar-member.ts';

export type TreeNode =
  /** `isListed`: a member named it; the others lie above members and have no facts of their own. */
  | { readonly kind: 'directory'; mode: number; mtime: number; isListed: boolean }
  | { readonly kind: 'file' }
  /** `file` is the path of the member that brought the content. */
  | { readonly kind: 'hardlink'; readonly file: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly mtime: number };

export interface TreeNamesOptions {
  /**
   * `last`: a later member of the same path replaces an earlier one as GNU tar does: any other than a directory with
   * something in it. A hard link to a symbolic link is another such link.
   */
  readonly duplicates?: 'refuse' | 'last';
  /** What the archive is called in messages. */
  readonly what?: string;
}

/** What has to be done before something can be written under its name. */
export interface Admission {
  /** Directories that are not there yet, outermost first. */
  readonly newDirectories: readonly string[];
  /** A file is there that is to go. */
  readonly replacesFile: boolean;
  /** An empty directory is there that is to go. */
  readonly replacesDirectory?: true;
}

/** `file` is the name under which the content is to be found; `isDone` where nothing is to be linked. */
export interface HardLinkAdmission extends Admission {
  readonly file: string;
  readonly isDone?: true;
}

/**
 * Decides which names of an archive may be written, one after the other, without touching a disk: every parent is a
 * directory, never a link; a path is one thing only; hard links lead to earlier files. Paths are clean relative paths.
 * Refuses with 'archive-refused'.
 */
export class TreeNames {
  readonly #what: string;
  readonly #duplicates: 'refuse' | 'last';
  readonly #nodes = new Map<string, TreeNode>();
  /** Directories that something is in. */
  readonly #filled = new Set<string>();
  #lastParent = '';

  constructor({ duplicates = 'refuse', what = 'archive' }: TreeNamesOptions = {}) {
    this.#what = what;
    this.#duplicates = duplicates;
  }

  get nodes(): ReadonlyMap<string, TreeNode> {
    return this.#nodes;
  }

  /** `isMerged`: another name for a directory that may be there already; the first one's mode counts. */
  admitDirectory(path: string, { mode, mtime }: Pick<TarMember, 'mode' | 'mtime'>, isMerged = false): Admission {
    const there = this.#nodes.get(path);
    if (there === undefined) {
      const newDirectories = [...this.#parentsOf(path), path];
      this.#nodes.set(path, { kind: 'directory', mode, mtime, isListed: true });
      return { newDirectories, replacesFile: false };
    }
    if (there.kind !== 'directory') {
      if (this.#duplicates === 'refuse') throw this.#twoThings(path, `a directory and a ${there.kind}`);
      this.#nodes.set(path, { kind: 'directory', mode, mtime, isListed: true });
      return { newDirectories: [path], replacesFile: there.kind !== 'symlink' };
    }
    if (!there.isListed || this.#duplicates === 'last') {
      Object.assign(there, { mode, mtime, isListed: true });
    } else if (there.mode !== mode && !isMerged) {
      throw this.#twoThings(path, 'two directories with different modes');
    }
    return NOTHING_TO_DO;
  }

  admitFile(path: string): Admission {
    return this.#admit(path, { kind: 'file' });
  }

  admitSymlink(path: string, { target, mtime }: Pick<TarMember, 'target' | 'mtime'>): Admission {
    return this.#admit(path, { kind: 'symlink', target, mtime });
  }

  admitHardLink(path: string, target: string): HardLinkAdmission {
    const node = this.#nodes.get(target);
    const isLast = this.#duplicates === 'last';
    if (isLast && node?.kind === 'symlink' && path !== target) {
      return { ...this.admitSymlink(path, node), file: target, isDone: true };
    }
    if (node?.kind !== 'file' && node?.kind !== 'hardlink') {
      throw this.#refusal(path, 'a hard link to an earlier file of the archive', `one to "${target}"`);
    }
    if (isLast) {
      if (path === target) return { ...NOTHING_TO_DO, file: target, isDone: true };
      // Whatever the file was written under first may be another by now.
      return { ...this.#admit(path, { kind: 'hardlink', file: target }), file: target };
    }
    if (path === target) throw this.#refusal(path, 'a hard link to another member', 'one to itself');
    const file = node.kind === 'file' ? target : node.file;
    return { ...this.#admit(path, { kind: 'hardlink', file }), file };
  }

  /** Gives the directories that no member has named a time, and answers their paths. */
  setImpliedTimes(mtime: number): readonly string[] {
    const paths: string[] = [];
    for (const [path, node] of this.#nodes) {
      if (node.kind !== 'directory' || node.isListed) continue;
      node.mtime = mtime;
      paths.push(path);
    }
    return paths;
  }

  #admit(path: string, node: Exclude<TreeNode, { kind: 'directory' }>): Admission {
    const there = this.#nodes.get(path);
    if (there !== undefined) {
      if (this.#duplicates === 'refuse') throw this.#twoThings(path, `a ${there.kind} and a ${node.kind}`);
      if (there.kind === 'directory') return this.#replaceDirectory(path, node);
    }
    const newDirectories = this.#parentsOf(path);
    this.#nodes.set(path, node);
    const replacesFile = there !== undefined && there.kind !== 'symlink';
    return newDirectories.length === 0 && !replacesFile ? NOTHING_TO_DO : { newDirectories, replacesFile };
  }

  #replaceDirectory(path: string, node: TreeNode): Admission {
    if (this.#filled.has(path)) throw this.#twoThings(path, `a directory with members and a ${node.kind}`);
    this.#nodes.set(path, node);
    this.#lastParent = '';
    return { newDirectories: [], replacesFile: false, replacesDirectory: true };
  }

  #parentsOf(path: string): readonly string[] {
    const slash = path.lastIndexOf('/');
    if (slash < 0) return [];
    const parent = path.slice(0, slash);
    if (parent === this.#lastParent) return [];
    const node = this.#nodes.get(parent);
    let made: readonly string[] = [];
    if (node === undefined) {
      made = [...this.#parentsOf(parent), parent];
      this.#nodes.set(parent, { kind: 'directory', mode: 0o755, mtime: 0, isListed: false });
    } else if (node.kind !== 'directory') {
      throw this.#refusal(path, 'a directory above it', `the ${node.kind} "${parent}"`);
    }
    this.#filled.add(parent);
    this.#lastParent = parent;
    return made;
  }

  #twoThings(path: string, found: string): Error {
    return this.#refusal(path, 'one member of that name', found);
  }

  #refusal(path: string, expected: string, found: string): Error {
    return archiveRefusal(`${this.#what}: ${path}`, expected, found);
  }
}

const NOTHING_TO_DO: Admission = { newDirectories: [], replacesFile: false };
