import type { RecipeDraft } from '../recipe-draft.ts';
import type { DraftNotes } from './draft-notes.ts';
import { recipeCalled } from './foreign-names.ts';

/** A file beside the other system's recipe that belongs beside this one: a patch, a script. */
export interface NeededFile {
  /** As the other recipe names it. */
  readonly from: string;
  /** Path below the directory of pkg.yaml. */
  readonly to: string;
}

/** A source whose sha256 the other recipe does not say. */
export interface UnpinnedSource {
  /** Index in the draft's sources. */
  readonly index: number;
  /** Without templates. */
  readonly url: string;
  /** What it says instead: whoever fetches the file compares it. */
  readonly sha512: string | undefined;
}

export interface ImportedRecipe {
  readonly draft: RecipeDraft;
  readonly files: readonly NeededFile[];
  readonly unpinned: readonly UnpinnedSource[];
}

/** The category of packages whose own system has none. */
const OWN_CATEGORY = 'local';

/** `category/name`, as the recipe of repos/main where there is one. */
export function nameHere(name: string, category?: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9+._-]/g, '-');
  return category === undefined ? (recipeCalled(plain) ?? `${OWN_CATEGORY}/${plain}`) : `${category}/${plain}`;
}

/** The description as one line of a recipe begins: in upper case, without a full stop. */
export function descriptionHere(text: string): string | undefined {
  const plain = text.replace(/\s+/g, ' ').trim().replace(/\.$/, '');
  return plain === '' ? undefined : plain[0]!.toUpperCase() + plain.slice(1);
}

/** The file that is left of a URL or a path. */
export function lastElement(path: string): string {
  return path.split(/[?#]/, 1)[0]!.split('/').at(-1) ?? path;
}

/** Another system unpacks archives beside each other; here all but the first go below the source tree. */
export function besideFirst(index: number, filename: string, notes: DraftNotes): string | undefined {
  if (index === 0) return undefined;
  const directory = filename.replace(/\.(?:tar(?:\.[a-z0-9]+)?|t[a-z]z2?|zip)$/, '');
  notes.todo('source', `${filename} lies in ${directory}/ of the source tree here, beside it there`);
  return directory;
}
