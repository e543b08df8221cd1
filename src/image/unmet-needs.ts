import { printable } from '../model/names.ts';
import type { MergedTree } from './merge-tree.ts';
import { DEFAULT_PATH } from './oci-config.ts';
import type { ProgramNeeds } from './program-needs.ts';
import { interpreterPackage } from './script-interpreters.ts';
import { findFile } from './started-program.ts';

export interface OwnedNeeds {
  /** `debian/python3.11-minimal`; undefined for files of the container. */
  readonly owner: string | undefined;
  readonly needs: ProgramNeeds;
}

export interface UnmetNeed {
  /** A warning where the container's own files are concerned, a note where only packages are. */
  readonly kind: 'warning' | 'notice';
  readonly text: string;
}

const MOST_NAMED = 3;

/** What programs of an image need and the image lacks, one sentence for each thing that is missing. Pure. */
export function unmetNeeds(tree: MergedTree, all: readonly OwnedNeeds[]): readonly UnmetNeed[] {
  const missing = new Map<string, { readonly path: string; readonly owner: string | undefined }[]>();
  for (const { owner, needs } of all) {
    for (const { path, interpreters } of needs.scripts) {
      // A file of another layer may have taken its place.
      if (!tree.entries.has(path)) continue;
      const lacking = interpreters.find((interpreter) => !isThere(tree, interpreter));
      if (lacking === undefined) continue;
      const users = missing.get(lacking);
      if (users === undefined) missing.set(lacking, [{ path, owner }]);
      else users.push({ path, owner });
    }
  }
  const scripts = [...missing]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([interpreter, users]): UnmetNeed => {
      const subject = users.length === 1 ? `${named(users)} is a script` : `${named(users)} are scripts`;
      const text = `${subject} for ${printable(interpreter)}, which is not in the image${remedy(interpreter)}`;
      return { kind: users.some(({ owner }) => owner === undefined) ? 'warning' : 'notice', text };
    });
  return [...scripts, ...shellNeed(tree, all)];
}

function shellNeed(tree: MergedTree, all: readonly OwnedNeeds[]): readonly UnmetNeed[] {
  if (findFile(tree, '/bin/sh') !== undefined) return [];
  const callers = all.flatMap(({ owner, needs }) => needs.shellCallers.map((caller) => ({ ...caller, owner })));
  const [first] = callers;
  if (first === undefined) return [];
  const verb = callers.length === 1 ? `calls ${first.call}(3), which needs` : 'call a shell, which needs';
  return [{ kind: 'notice', text: `${named(callers)} ${verb} /bin/sh, and the image has none${remedy('sh')}` }];
}

function isThere(tree: MergedTree, interpreter: string): boolean {
  if (interpreter.startsWith('/')) return findFile(tree, interpreter) !== undefined;
  return DEFAULT_PATH.split(':').some((directory) => findFile(tree, `${directory}/${interpreter}`) !== undefined);
}

function named(users: readonly { readonly path: string; readonly owner: string | undefined }[]): string {
  const shown = users.slice(0, MOST_NAMED).map(({ path, owner }) => {
    return `/${printable(path)}${owner === undefined ? '' : ` of ${owner}`}`;
  });
  const more = users.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(' and ');
}

function remedy(interpreter: string): string {
  const name = interpreterPackage(interpreter);
  return name === undefined ? '' : `: debian/${name} has it`;
}
