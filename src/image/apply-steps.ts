import { comparePaths } from '../layer/path-order.ts';
import type { FileOwner, FileStep } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { LayerEntry } from '../model/layer.ts';
import { printable } from '../model/names.ts';
import type { SourcePosition } from '../model/source-position.ts';
import type { DraftedLayer, LayerContent, MeasuredContent } from './layer-content.ts';
import type { MergedTree } from './merge-tree.ts';
import { bytesContent, type SyncEntry } from './read-sync-source.ts';
import { parentsOf, resolveInTree } from './tree-path.ts';
import type { WantedUser } from './user-tables.ts';

export interface StepsInput {
  readonly tree: MergedTree;
  readonly steps: readonly FileStep[];
  /** What each `sync` step copies. */
  readonly sources: ReadonlyMap<FileStep, readonly SyncEntry[]>;
  /** Users whose homes are made where nothing else makes them. */
  readonly homes?: readonly WantedUser[];
  /** Seconds; every entry gets it, since a file's own time says only when it was checked out. */
  readonly time: number;
  findOwner(owner: FileOwner, position: SourcePosition): { readonly uid: number; readonly gid: number };
}

export interface AppliedSteps extends DraftedLayer {
  /** Which files of packages were replaced. */
  readonly notices: readonly string[];
}

/** Decides the entries that a container's own steps put on top of its packages. Pure; the last step wins. */
export function applySteps(input: StepsInput): AppliedSteps {
  const top = new TopLayer(input);
  for (const step of input.steps) {
    const { position } = step;
    switch (step.kind) {
      case 'sync':
        applySync(top, step, input);
        break;
      case 'file':
        top.putFile(top.place(step.dest, position), bytesContent(Buffer.from(step.content)), step.mode, {
          ...input.findOwner(step.owner, position),
          position,
        });
        break;
      case 'directory':
        top.putDirectory(top.directoryPlace(step.dest, position), step.mode, {
          ...input.findOwner(step.owner, position),
          position,
        });
        break;
      case 'link':
        top.putLink(top.place(step.dest, position), step.target, { uid: 0, gid: 0, position });
        break;
      case 'user':
        break;
    }
  }
  for (const user of input.homes ?? []) top.ensureHome(user);
  return top.finish();
}

function applySync(top: TopLayer, step: FileStep & { readonly kind: 'sync' }, input: StepsInput): void {
  const { position, dest } = step;
  const facts = { ...input.findOwner(step.owner, position), position };
  const entries = input.sources.get(step)!;
  const first = entries[0]!;
  const base =
    first.type === 'directory'
      ? top.directoryPlace(dest, position)
      : top.filePlace(dest, step.source.slice(step.source.lastIndexOf('/') + 1), position);
  for (const entry of entries) {
    const path = entry.path === '' ? `/${base}` : `/${base}/${entry.path}`;
    switch (entry.type) {
      case 'directory':
        top.ensureDirectory(top.directoryPlace(path, position), step.directoryMode, facts);
        break;
      case 'file':
        top.putFile(top.place(path, position), entry, step.mode ?? (entry.executable ? 0o755 : 0o644), facts);
        break;
      case 'symlink':
        top.putLink(top.place(path, position), entry.target, facts);
        break;
    }
  }
}

interface EntryFacts {
  readonly uid: number;
  readonly gid: number;
  /** Absent for what no step says. */
  readonly position: SourcePosition | undefined;
}

/** The layer being made, over the tree it will lie on. */
class TopLayer {
  readonly #tree: MergedTree;
  readonly #homes: readonly WantedUser[];
  readonly #time: number;
  readonly #entries = new Map<string, LayerEntry>();
  readonly #contents = new Map<string, LayerContent>();
  readonly #replaced = new Map<string, string>();
  /** Directories that hold something, here or below. */
  #occupied: Set<string> | undefined;

  constructor({ tree, homes = [], time }: StepsInput) {
    this.#tree = tree;
    this.#homes = homes;
    this.#time = time;
  }

  /** Where something new goes: links above it are followed, what has its name is replaced. */
  place(dest: string, position: SourcePosition): string {
    return this.#resolve(dest, false, position);
  }

  directoryPlace(dest: string, position: SourcePosition): string {
    return this.#resolve(dest, true, position);
  }

  /** As cp does: a file goes into a directory that is there, or that is meant by a trailing slash. */
  filePlace(dest: string, name: string, position: SourcePosition): string {
    const followed = this.#resolve(dest, true, position);
    const isDirectory = followed === '' || dest.endsWith('/') || this.#lookup(followed)?.type === 'directory';
    return isDirectory ? [followed, name].filter((part) => part !== '').join('/') : this.place(dest, position);
  }

  putFile(path: string, { size, sha256, content }: MeasuredContent, mode: number, facts: EntryFacts): void {
    this.#put({ type: 'file', size, sha256, ...this.#facts(path, mode, facts) }, facts.position);
    this.#contents.set(path, content);
  }

  putLink(path: string, target: string, facts: EntryFacts): void {
    this.#put({ type: 'symlink', target, ...this.#facts(path, 0o777, facts) }, facts.position);
  }

  putDirectory(path: string, mode: number, facts: EntryFacts): void {
    if (path === '') throw refusal('Cannot change "/"', 'a path below it', 'the root itself', facts.position);
    this.#put({ type: 'directory', ...this.#facts(path, mode, facts) }, facts.position);
  }

  /** A directory that is there already keeps its mode and owner. */
  ensureDirectory(path: string, mode: number, facts: EntryFacts): void {
    if (path === '' || this.#lookup(path)?.type === 'directory') return;
    this.putDirectory(path, mode, facts);
  }

  /** As useradd makes it: the user's own, unless a package or a step made it otherwise. */
  ensureHome({ name, home, uid, gid, position }: WantedUser): void {
    const resolved = resolveInTree((path) => this.#lookup(path), home, { followLast: true });
    const existing = resolved.kind === 'path' ? this.#lookup(resolved.path) : undefined;
    const isFree = resolved.kind === 'path' && (existing === undefined || existing.type === 'directory');
    if (isFree && existing === undefined && resolved.path !== '') {
      this.putDirectory(resolved.path, 0o755, { uid, gid, position });
    }
    // A package says itself what its user needs.
    if (isFree || position === undefined) return;
    const at = resolved.kind === 'path' ? resolved.path : resolved.at;
    const owner = this.#tree.entries.get(at)?.source.name;
    const kind = resolved.kind === 'path' || resolved.reason === 'not a directory' ? 'a file' : resolved.reason;
    throw refusal(
      `Cannot make the home "${printable(home)}" of the user "${name}"`,
      'a directory or nothing',
      `${kind}${owner === undefined ? '' : ` of ${owner}`} at "/${printable(at)}"`,
      position,
    );
  }

  finish(): AppliedSteps {
    for (const path of [...this.#entries.keys()]) for (const parent of parentsOf(path)) this.#restate(parent);
    return {
      listing: [...this.#entries.values()].sort((a, b) => comparePaths(a.path, b.path)),
      contents: this.#contents,
      notices: [...this.#replaced].map(([path, owner]) => `/${printable(path)} replaces a file of ${owner}`),
    };
  }

  #put(entry: LayerEntry, position: SourcePosition | undefined): void {
    const { path } = entry;
    if (path === '') throw refusal('Cannot write "/"', 'a path below it', 'the root itself', position);
    const existing = this.#lookup(path);
    const owner = this.#tree.entries.get(path)?.source.name;
    if (existing?.type === 'directory' && entry.type !== 'directory' && this.#isOccupied(path)) {
      const whose = owner === undefined ? '' : ` of ${owner}`;
      throw refusal(`Cannot write "/${printable(path)}"`, 'a file or nothing', `a directory${whose}`, position);
    }
    if (existing !== undefined && existing.type !== 'directory' && entry.type === 'directory') {
      const whose = owner === undefined ? '' : ` of ${owner}`;
      throw refusal(`Cannot make directory "/${printable(path)}"`, 'nothing there', `a file${whose}`, position);
    }
    if (owner !== undefined && existing?.type !== 'directory') this.#replaced.set(path, owner);
    this.#contents.delete(path);
    this.#entries.set(path, entry);
    for (const parent of parentsOf(path)) {
      this.#occupied?.add(parent);
      this.ensureDirectory(parent, 0o755, { uid: 0, gid: 0, ...this.#homeOwner(parent), position });
    }
  }

  /** Whose home a directory is that comes with a file in it: of a step's user, since packages bring their own. */
  #homeOwner(path: string): Pick<WantedUser, 'uid' | 'gid'> | undefined {
    if (this.#lookup(path) !== undefined) return undefined;
    const owner = this.#homes.find(({ home, position }) => {
      if (position === undefined) return false;
      const resolved = resolveInTree((other) => this.#lookup(other), home, { followLast: true });
      return resolved.kind === 'path' && resolved.path === path;
    });
    return owner && { uid: owner.uid, gid: owner.gid };
  }

  #isOccupied(path: string): boolean {
    if (this.#occupied === undefined) {
      const paths = [...this.#tree.entries.keys(), ...this.#entries.keys()];
      this.#occupied = new Set(paths.flatMap(parentsOf));
    }
    return this.#occupied.has(path);
  }

  /** Repeats a directory of the tree, with the metadata it has there. */
  #restate(path: string): void {
    const below = this.#tree.entries.get(path)?.entry;
    if (below?.type === 'directory' && !this.#entries.has(path)) this.#entries.set(path, below);
  }

  #lookup(path: string): LayerEntry | undefined {
    return this.#entries.get(path) ?? this.#tree.entries.get(path)?.entry;
  }

  #resolve(dest: string, followLast: boolean, position: SourcePosition): string {
    const resolved = resolveInTree((path) => this.#lookup(path), dest, { followLast });
    if (resolved.kind === 'path') return resolved.path;
    const owner = this.#tree.entries.get(resolved.at)?.source.name;
    const whose = owner === undefined ? '' : ` of ${owner}`;
    const found = resolved.reason === 'not a directory' ? `a file${whose}` : `${resolved.reason}${whose}`;
    throw refusal(
      `Cannot write below "/${printable(resolved.at)}" ("${printable(dest)}")`,
      'a directory',
      found,
      position,
    );
  }

  #facts(path: string, mode: number, { uid, gid }: EntryFacts) {
    return { path, mode, uid, gid, mtime: this.#time };
  }
}

function refusal(what: string, expected: string, found: string, position: SourcePosition | undefined): BuilditError {
  return new BuilditError('path-conflict', `${what}: expected ${expected}, found ${found}`, { position });
}
