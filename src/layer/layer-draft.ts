import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Digest } from '../model/digest.ts';
import { sha256 } from '../model/digest.ts';
import type { ElfFacts, LayerEntry, LayerListing } from '../model/layer.ts';
import { archiveRefusal } from './archive-refusal.ts';
import { type ElfSource, looksLikeElf, readElf } from './elf.ts';
import { sortByPath } from './path-order.ts';
import type { TarMember } from './tar-member.ts';
import { treeContent } from './tree-content.ts';
import { TreeWriter } from './tree-writer.ts';
import type { ReadContent } from './write-tar.ts';

/** What of a member goes into its entry; the file's own facts for all of its names. */
export interface EntryFacts {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
}

interface DraftFile extends EntryFacts {
  readonly size: number;
  readonly sha256: Digest;
  readonly names: string[];
}

/** Contents kept in memory until the layer is written, so that most small files are never read back. */
const KEPT_BYTES = 24 * 2 ** 20;

/** A layer while its members come in: files go to the tree at once, hashed on the way; everything else is remembered. */
export class LayerDraft {
  readonly #directory: string;
  readonly #what: string;
  readonly #tree: TreeWriter;
  /** By the name that the content came under. */
  readonly #files = new Map<string, DraftFile>();
  /** Directories that came under another path: two of them may come together in one place. */
  readonly #moved = new Set<string>();
  readonly #others = new Map<string, LayerEntry>();
  readonly #elf: ElfFacts[] = [];
  readonly #kept = new Map<string, Uint8Array>();
  #keptBytes = 0;

  constructor(directory: string, what: string) {
    this.#directory = directory;
    this.#what = what;
    this.#tree = new TreeWriter(directory, { what });
  }

  /** Takes one member under a path; `targetPath` is the path of a hard link's target. */
  async add(path: string, member: TarMember, facts: EntryFacts, targetPath: string): Promise<void> {
    switch (member.type) {
      case 'file':
        if (member.whole === undefined) await this.#addLargeFile(path, member, facts);
        else this.#addSmallFile(path, member.whole, facts);
        return;
      case 'directory':
        if (path !== member.path) this.#moved.add(path);
        this.#tree.addDirectory(path, facts, this.#moved.has(path));
        if (!this.#others.has(path)) this.#others.set(path, { type: 'directory', path, ...facts });
        return;
      case 'symlink':
        this.#tree.addSymlink(path, { target: member.target, mtime: facts.mtime });
        this.#others.set(path, { type: 'symlink', path, target: member.target, ...facts, mode: 0o777 });
        return;
      case 'hardlink':
        this.#files.get(this.#tree.addHardLink(path, targetPath))!.names.push(path);
        return;
      default:
        throw archiveRefusal(`${this.#what}: ${member.path}`, 'a file, directory or link', `a ${member.type}`);
    }
  }

  /** Completes the tree and says what is in it. `impliedMtime` is given to directories that no member named. */
  finish(impliedMtime: number): { listing: LayerListing; elf: readonly ElfFacts[]; readContent: ReadContent } {
    const implied = this.#tree.impliedDirectories.map((path): LayerEntry => {
      this.#tree.setDirectoryTime(path, impliedMtime);
      return { type: 'directory', path, mode: 0o755, uid: 0, gid: 0, mtime: impliedMtime };
    });
    this.#tree.finish();
    const contents = new Map<string, Uint8Array>();
    const firstNames = new Map<string, string>();
    const files = [...this.#files].flatMap(([path, file]) => {
      const entries = entriesOf(file);
      const first = entries[0]!.path;
      firstNames.set(path, first);
      const content = this.#kept.get(path);
      if (content !== undefined) contents.set(first, content);
      return entries;
    });
    const fromTree = treeContent(this.#directory);
    return {
      listing: sortByPath([...this.#others.values(), ...implied, ...files]),
      elf: sortByPath(this.#elf.map((facts) => ({ ...facts, path: firstNames.get(facts.path)! }))),
      readContent: (entry) => contents.get(entry.path) ?? fromTree(entry),
    };
  }

  #addSmallFile(path: string, content: Uint8Array, facts: EntryFacts): void {
    this.#tree.addWholeFile(path, facts, content);
    this.#files.set(path, { ...facts, size: content.length, sha256: sha256(content), names: [path] });
    if (looksLikeElf(content)) this.#noteElf(path, content);
    if (this.#keptBytes + content.length > KEPT_BYTES) return;
    this.#keptBytes += content.length;
    // A copy, because the original is a view that would keep a whole chunk of the archive alive.
    this.#kept.set(path, Uint8Array.prototype.slice.call(content));
  }

  async #addLargeFile(path: string, member: TarMember, facts: EntryFacts): Promise<void> {
    const hash = createHash('sha256');
    let size = 0;
    let mayBeElf = false;
    await this.#tree.addFile(path, { ...member, ...facts }, (chunk) => {
      if (size === 0) mayBeElf = chunk.length < 4 || looksLikeElf(chunk);
      size += chunk.length;
      hash.update(chunk);
    });
    this.#files.set(path, { ...facts, size, sha256: hash.digest('hex'), names: [path] });
    if (mayBeElf) withOpenFile(`${this.#directory}/${path}`, (source) => this.#noteElf(path, source));
  }

  #noteElf(path: string, source: ElfSource | Uint8Array): void {
    const facts = readElf(path, source);
    if (facts !== undefined) this.#elf.push(facts);
  }
}

/** The first name in order is the file, the others are hard links to it. */
function entriesOf({ names, size, sha256: digest, ...facts }: DraftFile): LayerEntry[] {
  const [first, ...others] = sortByPath(names.map((path) => ({ path })));
  return [
    { type: 'file', path: first!.path, size, sha256: digest, ...facts },
    ...others.map(({ path }): LayerEntry => ({ type: 'hardlink', path, target: first!.path, ...facts })),
  ];
}

function withOpenFile(path: string, use: (source: ElfSource) => void): void {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    use({
      size: fstatSync(file).size,
      read(offset, length) {
        if (!Number.isSafeInteger(offset) || offset < 0) return Buffer.alloc(0);
        const bytes = Buffer.alloc(length);
        return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
      },
    });
  } finally {
    closeSync(file);
  }
}
