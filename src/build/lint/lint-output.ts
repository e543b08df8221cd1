import { ensureTree } from '../../layer/ensure-tree.ts';
import { readListing } from '../../layer/listing.ts';
import type { KeptLayer, LayerListing } from '../../model/layer.ts';
import type { OutputFinding } from '../../model/output-lint.ts';
import type { Store } from '../../store/store.ts';
import { lintContent } from './lint-content.ts';
import { lintPaths } from './lint-paths.ts';
import { lintReferences, type Surroundings, surroundingsOf } from './lint-references.ts';
import { lintRunPaths } from './lint-run-paths.ts';
import { lintSharedFiles } from './lint-shared-files.ts';

/** What a layer is judged by. */
export interface LintRules {
  /** `linux/amd64`, as in a build request. */
  readonly platform: string;
  /** The base package owns every directory there is. */
  readonly ownsTopLinks: boolean;
  /** What the recipe says; undefined where it says nothing. */
  readonly license: string | undefined;
  /** All directories of the package, those of its other layers too, without a leading slash. */
  readonly directories: ReadonlySet<string>;
  /** What the recipe replaces, `debian/dash`. */
  readonly replaced?: readonly string[] | undefined;
  /** By default the layer alone. */
  readonly surroundings?: Surroundings | undefined;
}

/**
 * Judges one layer of a finished build: its names, modes, ELF files, contents, links, scripts and licence. What the recipe
 * allows is not looked at.
 */
export async function lintOutput(store: Store, layer: KeptLayer, rules: LintRules): Promise<readonly OutputFinding[]> {
  const listing = await readListing(store, layer.listing);
  const { replaced = [], ownsTopLinks, surroundings = surroundingsOf([listing], []) } = rules;
  const tree = await ensureTree(store, layer);
  return [
    ...lintPaths(listing, rules),
    ...lintSharedFiles(listing, { replaced, ownsTopLinks }),
    ...lintModes(listing),
    ...lintRunPaths(layer.elf, rules),
    ...(await lintContent(tree, listing, rules.platform)),
    ...lintReferences(tree, listing, surroundings),
    ...lintLicense(listing, rules.license),
  ];
}

const SET_ID = 0o6000;
const STICKY = 0o1000;
const WRITABLE_BY_ALL = 0o0002;

function lintModes(listing: LayerListing): readonly OutputFinding[] {
  return listing.flatMap(({ type, path, mode }): OutputFinding[] => {
    // A hard link shares the mode of the file it is another name of.
    if (type === 'symlink' || type === 'hardlink') return [];
    const found = `mode ${mode.toString(8).padStart(4, '0')}`;
    const isOpen = (mode & WRITABLE_BY_ALL) !== 0 && !(type === 'directory' && (mode & STICKY) !== 0);
    return [
      ...((mode & SET_ID) === 0 ? [] : [{ code: 'set-id', path, found } as const]),
      ...(isOpen ? [{ code: 'world-writable', path, found } as const] : []),
    ];
  });
}

const LICENSE_FILE = /^usr\/share\/(?:doc\/[^/]+\/(?:copyright|(?:licen[cs]e|copying|notice)[^/]*)|licen[cs]es\/.+)$/i;

function lintLicense(listing: LayerListing, license: string | undefined): readonly OutputFinding[] {
  if (license === undefined) return [{ code: 'missing-license', found: 'no "license" in pkg.yaml' }];
  if (listing.some(({ type, path }) => type !== 'directory' && LICENSE_FILE.test(path))) return [];
  return [{ code: 'missing-license', found: 'no file with its text in the package' }];
}
