import { lstatSync, mkdirSync, readFileSync, readlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestTree, TestTreeEntry } from '../build/test-root.ts';
import { BuilditError } from '../model/errors.ts';
import type { LayerEntry } from '../model/layer.ts';
import { printable } from '../model/names.ts';
import { SANDBOX_HOST_NAME } from '../model/sandbox-contract.ts';
import { parentsOf, resolveInTree } from './tree-path.ts';

/** Files that engines give to every container; here there is no network but the loopback. */
const ENGINE_FILES: Readonly<Record<string, string>> = {
  'etc/hostname': `${SANDBOX_HOST_NAME}\n`,
  'etc/hosts': '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n',
  'etc/resolv.conf': '# no network\n',
};

/** Made by the sandbox where the image has none, for everybody to write to. */
const SCRATCH = ['run', 'tmp'];

/**
 * Adds to a tree that was laid out what engines add when they start a container: /etc/hosts and its like where there is no
 * such file with something in it, and the working directory, root's and 0755, with its parents. Refuses a working directory
 * that is or leads through something else, as engines do.
 */
export function completeTree(tree: TestTree, title: string, directory: string): TestTree {
  const draft = new TreeDraft(tree);
  for (const [path, text] of Object.entries(ENGINE_FILES)) draft.putFile(path, text);
  draft.makeDirectory(title, directory);
  return draft.tree();
}

class TreeDraft {
  readonly #tree: TestTree;
  readonly #entries: Map<string, TestTreeEntry>;

  constructor(tree: TestTree) {
    this.#tree = tree;
    this.#entries = new Map(tree.entries.map((entry) => [entry.path, entry]));
  }

  tree(): TestTree {
    const entries = [...this.#entries.values()];
    const top = entries.filter(({ path, kind }) => !path.includes('/') && kind === 'directory');
    return { ...this.#tree, entries, directories: top.map(({ path }) => path) };
  }

  /** A link that leads nowhere, as to a file below /run, gives way to the file: the place it names may be made later. */
  putFile(path: string, text: string): void {
    const place = this.#resolve(path);
    if (place !== undefined && this.#holdsSomething(place)) return;
    for (const parent of parentsOf(path)) if (!this.#ensure(parent)) return;
    const target = join(this.#tree.path, path);
    // Never written in place: a file that is there may be the store's.
    if (lstatSync(target, { throwIfNoEntry: false }) !== undefined) unlinkSync(target);
    writeFileSync(target, text, { mode: 0o644, flag: 'wx' });
    this.#entries.set(path, { path, kind: 'file', mode: 0o644, uid: 0, gid: 0 });
  }

  makeDirectory(title: string, directory: string): void {
    const place = this.#resolve(directory);
    const parts = place === undefined ? [] : [...parentsOf(place), ...(place === '' ? [] : [place])];
    if (place !== undefined && parts.every((part) => this.#ensure(part))) return;
    throw new BuilditError(
      'test-failed',
      `Cannot start "${title}" in "${printable(directory)}": expected a directory or nothing there, found something else`,
      { hint: 'working-directory in the configuration of the image names another' },
    );
  }

  /** A relative path; undefined where something stands in its way. */
  #resolve(path: string): string | undefined {
    const resolved = resolveInTree((name) => this.#lookup(name), path, { followLast: true });
    return resolved.kind === 'path' ? resolved.path : undefined;
  }

  #holdsSomething(path: string): boolean {
    const kind = this.#entries.get(path)?.kind;
    return kind === 'directory' || (kind === 'file' && readFileSync(join(this.#tree.path, path)).some(isNoBlank));
  }

  #ensure(path: string): boolean {
    const kind = this.#entries.get(path)?.kind;
    if (kind !== undefined) return kind === 'directory';
    if (KERNEL.includes(path.split('/', 1)[0]!) || this.#tree.links.some(({ name }) => name === path)) return false;
    mkdirSync(join(this.#tree.path, path), { mode: 0o755 });
    this.#entries.set(path, { path, kind: 'directory', mode: SCRATCH.includes(path) ? 0o1777 : 0o755, uid: 0, gid: 0 });
    return true;
  }

  #lookup(path: string): LayerEntry | undefined {
    const entry = this.#entries.get(path);
    const link = this.#tree.links.find(({ name }) => name === path);
    const facts = { path, mode: 0o755, uid: 0, gid: 0, mtime: 0 };
    if (link !== undefined) return { ...facts, type: 'symlink', target: link.target };
    if (entry?.kind === 'symlink') {
      return { ...facts, type: 'symlink', target: readlinkSync(join(this.#tree.path, path)) };
    }
    if (entry?.kind === 'file') return { ...facts, type: 'file', size: 0, sha256: '' };
    return entry && { ...facts, type: 'directory' };
  }
}

/** What the kernel makes; nothing can be added to it. */
const KERNEL = ['dev', 'proc'];

function isNoBlank(byte: number): boolean {
  return byte > 0x20;
}
