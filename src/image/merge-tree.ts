import { BuilditError, throwCollected } from '../model/errors.ts';
import type { LayerEntry, LayerListing } from '../model/layer.ts';
import { printable } from '../model/names.ts';

/** Something that puts files into an image: a package, or one of the layers on top of them. */
export interface TreeSource {
  readonly name: string;
  readonly listing: LayerListing;
}

export interface TreeEntry {
  readonly entry: LayerEntry;
  /** Whose it is: for a directory the first source that declares it, else the last that has the path. */
  readonly source: TreeSource;
}

/** The file system of an image, path to entry, and the directories that its layers do not agree about. */
export interface MergedTree {
  readonly entries: ReadonlyMap<string, TreeEntry>;
  /** Directories with another mode or owner in some layer than they have: a layer on top must state them again. */
  readonly disputed: ReadonlySet<string>;
}

/**
 * Lays packages over each other. The first that declares a directory owns its metadata; a path of two packages that is
 * not a directory in both is an error that names both. All such errors are thrown together.
 */
export function mergeTree(packages: readonly TreeSource[]): MergedTree {
  const entries = new Map<string, TreeEntry>();
  const disputed = new Set<string>();
  const conflicts = new Conflicts();
  for (const source of packages) {
    for (const entry of source.listing) {
      const other = entries.get(entry.path);
      if (other === undefined) entries.set(entry.path, { entry, source });
      else if (entry.type !== 'directory' || other.entry.type !== 'directory') conflicts.add(other, { entry, source });
      else if (!sameMetadata(entry, other.entry)) disputed.add(entry.path);
    }
  }
  throwCollected(conflicts.errors());
  return { entries, disputed };
}

/**
 * Lays a layer over a tree that may replace its files. Its directories are the last word about them; one that is only
 * stated again stays its owner's.
 */
export function overlayTree({ entries, disputed }: MergedTree, source: TreeSource): MergedTree {
  const overlaid = new Map(entries);
  const stillDisputed = new Set(disputed);
  for (const entry of source.listing) {
    stillDisputed.delete(entry.path);
    const below = overlaid.get(entry.path)?.entry;
    const isRestated = entry.type === 'directory' && below?.type === 'directory' && sameMetadata(entry, below);
    if (!isRestated) overlaid.set(entry.path, { entry, source });
  }
  return { entries: overlaid, disputed: stillDisputed };
}

export function sameMetadata(a: LayerEntry, b: LayerEntry): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

/** Conflicts by pair of sources, so that two versions of one package give one error and not a thousand. */
class Conflicts {
  readonly #pairs = new Map<string, { readonly names: readonly [string, string]; readonly paths: string[] }>();

  add(first: TreeEntry, second: TreeEntry): void {
    const key = `${first.source.name}\0${second.source.name}`;
    const known = this.#pairs.get(key);
    const path = `/${printable(first.entry.path)}${kindNote(first.entry, second.entry)}`;
    if (known === undefined) this.#pairs.set(key, { names: [first.source.name, second.source.name], paths: [path] });
    else known.paths.push(path);
  }

  errors(): BuilditError[] {
    return [...this.#pairs.values()].map(({ names: [first, second], paths }) => {
      const more = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
      return new BuilditError(
        'path-conflict',
        `Cannot put "${first}" and "${second}" into one image: both have ${paths[0]}${more}`,
        {
          details: paths.slice(1, 20),
          hint: `leave one of them out, or let a recipe that stands in for the other say so: "replaces: [${first}]"`,
        },
      );
    });
  }
}

function kindNote(first: LayerEntry, second: LayerEntry): string {
  return first.type === second.type ? '' : ` (${kindWord(first)} and ${kindWord(second)})`;
}

function kindWord({ type }: LayerEntry): string {
  return { file: 'a file', hardlink: 'a file', directory: 'a directory', symlink: 'a link' }[type];
}
