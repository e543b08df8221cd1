import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import {
  ROOT_FILES,
  ROOT_MOUNT_POINTS,
  ROOT_OMITTED,
  ROOT_TOP_LINKS,
  SANDBOX_PATHS,
} from '../model/sandbox-contract.ts';
import { alternativeLinks } from '../model/script-effects.ts';
import type { FileState } from '../system/file-state.ts';

/** One unpacked layer that takes part in a root. `label` names it in messages. */
export interface RootTree {
  readonly label: string;
  readonly path: string;
  /** Parents before what they hold; paths relative. */
  readonly entries: Iterable<TreeEntry>;
}

export interface TreeEntry {
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'symlink';
}

/** Entries as the list of a tree names them; what is neither directory, file nor link is in no tree. */
export function* listedEntries(files: ReadonlyMap<string, FileState>): Generator<TreeEntry> {
  for (const [path, state] of files) yield { path, kind: KINDS[state.slice(0, 1)] ?? 'file' };
}

const KINDS: Readonly<Record<string, TreeEntry['kind']>> = { d: 'directory', f: 'file', l: 'symlink' };

/** What is at a path of the root: a new directory, something taken over from a tree, or something generated. */
export type RootEntry =
  | { readonly kind: 'directory'; readonly owner: RootTree | undefined }
  | { readonly kind: 'taken'; readonly from: 'file' | 'symlink'; readonly owner: RootTree }
  | { readonly kind: 'generated-file'; readonly content: string }
  | { readonly kind: 'generated-link'; readonly target: string };

/** Path to entry, parents before what they hold. */
export type RootContent = ReadonlyMap<string, RootEntry>;

/**
 * Decides what a root holds: later trees win over earlier ones, generated files over all. A directory in the place of
 * another tree's file or link, or the other way round, is an error that names both: following such a link would put
 * files where their package did not say.
 */
export function mergeTrees(trees: readonly RootTree[]): RootContent {
  const content = new Map<string, RootEntry>();
  for (const tree of trees) {
    for (const entry of tree.entries) {
      if (!isMadeBySandbox(entry, tree)) addEntry(content, entry, tree);
    }
  }
  for (const [path, text] of Object.entries(ROOT_FILES)) {
    addParents(content, path);
    content.set(path, { kind: 'generated-file', content: text });
  }
  for (const { path, target } of alternativeLinks(content)) {
    addParents(content, path);
    content.set(path, { kind: 'generated-link', target });
  }
  return content;
}

function isMadeBySandbox({ path, kind }: TreeEntry, tree: RootTree): boolean {
  const slash = path.indexOf('/');
  const top = slash < 0 ? path : path.slice(0, slash);
  if (ROOT_MOUNT_POINTS.includes(top) || `/${top}` === SANDBOX_PATHS.tools || ROOT_OMITTED.includes(path)) return true;
  if (slash >= 0 || kind === 'directory') {
    if (Object.hasOwn(ROOT_TOP_LINKS, top)) throw refusal(tree, path, `"${top}" to be a link to usr/${top}`);
    return false;
  }
  // The links of a merged /usr; anything else at the top would have to be bound by its own name, which may lie.
  if (kind === 'symlink' && Object.hasOwn(ROOT_TOP_LINKS, top)) return true;
  throw refusal(tree, path, 'nothing but directories at the top of a root');
}

function addEntry(content: Map<string, RootEntry>, { path, kind }: TreeEntry, tree: RootTree): void {
  const present = content.get(path);
  if (kind === 'directory') {
    if (present === undefined) content.set(path, { kind: 'directory', owner: tree });
    else if (present.kind !== 'directory') throw conflict(path, present, tree, kind);
    return;
  }
  if (present?.kind === 'directory') throw conflict(path, present, tree, kind);
  content.set(path, { kind: 'taken', from: kind, owner: tree });
}

function addParents(content: Map<string, RootEntry>, path: string): void {
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
    const parent = path.slice(0, slash);
    if (!content.has(parent)) content.set(parent, { kind: 'directory', owner: undefined });
  }
}

function refusal(tree: RootTree, path: string, expected: string): BuilditError {
  return new BuilditError(
    'path-conflict',
    `Cannot compose a root with "${printable(tree.label)}": expected ${expected}, found ${printable(path)}`,
  );
}

function conflict(path: string, present: RootEntry, tree: RootTree, kind: string): BuilditError {
  const owner = 'owner' in present ? (present.owner?.label ?? 'buildit') : 'buildit';
  const there = present.kind === 'taken' ? present.from : present.kind;
  return new BuilditError(
    'path-conflict',
    `Cannot compose a root: "/${printable(path)}" is a ${there} in ${printable(owner)} and a ${kind} in ${printable(tree.label)}`,
  );
}
