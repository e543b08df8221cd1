import { createHash } from 'node:crypto';
import type { Capability } from '../model/capability.ts';
import type { Digest } from '../model/digest.ts';
import { sha256 } from '../model/digest.ts';
import type { ElfFacts, LayerEntry, LayerListing } from '../model/layer.ts';
import { archiveRefusal } from './archive-refusal.ts';
import type { DraftPlace } from './draft-place.ts';
import { type ElfSource, looksLikeElf, readElf } from './elf.ts';
import { sortByPath } from './path-order.ts';
import type { TarMember } from './tar-member.ts';
import type { ReadContent } from './write-tar.ts';

/** What of a member goes into its entry; the file's own facts for all of its names. */
export interface EntryFacts {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
}

export interface FinishedDraft {
  readonly listing: LayerListing;
  readonly elf: readonly ElfFacts[];
  readonly readContent: ReadContent;
}

interface DraftFile extends EntryFacts {
  readonly size: number;
  readonly sha256: Digest;
  readonly capabilities: readonly Capability[] | undefined;
  readonly names: string[];
}

/** A layer while its members come in: contents go to their place at once, hashed on the way; the rest is remembered. */
export class LayerDraft {
  readonly #place: DraftPlace;
  readonly #what: string;
  /** By the name that the content came under. */
  readonly #files = new Map<string, DraftFile>();
  /** Directories that came under another path: two of them may come together in one place. */
  readonly #moved = new Set<string>();
  readonly #others = new Map<string, LayerEntry>();
  readonly #elf: ElfFacts[] = [];

  constructor(place: DraftPlace, what: string) {
    this.#place = place;
    this.#what = what;
  }

  /** Takes one member under a path; `targetPath` is the path of a hard link's target. */
  async add(path: string, member: TarMember, facts: EntryFacts, targetPath: string): Promise<void> {
    switch (member.type) {
      case 'file':
        if (member.whole === undefined) await this.#addLargeFile(path, member, facts);
        else this.#addSmallFile(path, member.whole, facts, member.capabilities);
        return;
      case 'directory':
        if (path !== member.path) this.#moved.add(path);
        this.#place.addDirectory(path, facts, this.#moved.has(path));
        if (!this.#others.has(path)) this.#others.set(path, { type: 'directory', path, ...facts });
        return;
      case 'symlink':
        this.#place.addSymlink(path, { target: member.target, mtime: facts.mtime });
        this.#others.set(path, { type: 'symlink', path, target: member.target, ...facts, mode: 0o777 });
        return;
      case 'hardlink':
        this.#files.get(this.#place.addHardLink(path, targetPath))!.names.push(path);
        return;
      default:
        throw archiveRefusal(`${this.#what}: ${member.path}`, 'a file, directory or link', `a ${member.type}`);
    }
  }

  /** Completes the place and says what is in it. `impliedMtime` is given to directories that no member named. */
  finish(impliedMtime: number): FinishedDraft {
    const implied = this.#place
      .setImpliedTimes(impliedMtime)
      .map((path): LayerEntry => ({ type: 'directory', path, mode: 0o755, uid: 0, gid: 0, mtime: impliedMtime }));
    this.#place.finish();
    const names = new Map<string, string>();
    const files = [...this.#files].flatMap(([path, file]) => {
      const entries = entriesOf(file);
      names.set(entries[0]!.path, path);
      return entries;
    });
    const firstNames = new Map([...names].map(([first, path]) => [path, first]));
    return {
      listing: sortByPath([...this.#others.values(), ...implied, ...files]),
      elf: sortByPath(this.#elf.map((facts) => ({ ...facts, path: firstNames.get(facts.path)! }))),
      readContent: ({ path, size }) => this.#place.content(names.get(path)!, size),
    };
  }

  #addSmallFile(path: string, content: Uint8Array, facts: EntryFacts, capabilities: DraftFile['capabilities']): void {
    this.#place.addWholeFile(path, facts, content);
    this.#files.set(path, { ...facts, size: content.length, sha256: sha256(content), capabilities, names: [path] });
    if (looksLikeElf(content)) this.#noteElf(path, content);
  }

  async #addLargeFile(path: string, member: TarMember, facts: EntryFacts): Promise<void> {
    const hash = createHash('sha256');
    let size = 0;
    let mayBeElf = false;
    await this.#place.addFile(path, { ...member, ...facts }, (chunk) => {
      if (size === 0) mayBeElf = chunk.length < 4 || looksLikeElf(chunk);
      size += chunk.length;
      hash.update(chunk);
    });
    const { capabilities } = member;
    this.#files.set(path, { ...facts, size, sha256: hash.digest('hex'), capabilities, names: [path] });
    if (mayBeElf) this.#place.withElfSource(path, (source) => this.#noteElf(path, source));
  }

  #noteElf(path: string, source: ElfSource | Uint8Array): void {
    const facts = readElf(path, source);
    if (facts !== undefined) this.#elf.push(facts);
  }
}

/** The first name in order is the file, the others are hard links to it. */
function entriesOf({ names, size, sha256: digest, capabilities, ...facts }: DraftFile): LayerEntry[] {
  const [first, ...others] = sortByPath(names.map((path) => ({ path })));
  return [
    {
      ...{ type: 'file', path: first!.path, size, sha256: digest, ...facts },
      ...(capabilities === undefined ? {} : { capabilities }),
    },
    ...others.map(({ path }): LayerEntry => ({ type: 'hardlink', path, target: first!.path, ...facts })),
  ];
}
