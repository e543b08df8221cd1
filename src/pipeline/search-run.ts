import { containerTitle } from '../binhost/container-entry.ts';
import type { Binhost } from '../binhost/open-binhost.ts';
import type { RecipePlace } from '../definition/recipe-library.ts';
import { BuilditError } from '../model/errors.ts';
import type { Hash } from '../model/package-hash.ts';
import { openStore, type Store } from '../store/store.ts';
import { provideFlock } from './host-programs.ts';
import { offline } from './managed-place.ts';
import { openSharing, type Sharing, type SharingOptions } from './open-cache.ts';
import { configuredRecipes, readRecipes, recipeTextAt } from './read-recipes.ts';
import { recipeDescription } from './recipe-facts.ts';

/** One package or container as the index of a place names it. */
export type FoundEntry =
  | {
      readonly kind: 'package';
      readonly name: string;
      readonly version: string;
      readonly platform: string;
      readonly place: string;
      readonly hash: Hash;
      /** Bytes that fetching it moves. */
      readonly size: number;
      /** Whether the key that signed it may count; the record itself has not been looked at. */
      readonly isKnownSigner: boolean;
    }
  | {
      readonly kind: 'container';
      readonly name: string;
      readonly version: string;
      readonly platform: string;
      readonly place: string;
      readonly images: number;
      readonly publishedAt: string;
      readonly isKnownSigner: boolean;
    }
  | {
      readonly kind: 'recipe';
      readonly name: string;
      /** The newest one. */
      readonly version: string;
      /** The repository it is of. */
      readonly place: string;
      readonly description: string;
    };

/**
 * Recipes of the configured repositories whose name or description holds a text, and everything at the configured places whose name
 * does. A pattern with `*` and `?` is for whole names. Without a network, or a place to ask, recipes alone are looked at.
 */
export async function search(options: SharingOptions, text: string): Promise<readonly FoundEntry[]> {
  const matches = matcher(text);
  const recipes = await searchRecipes(options, text);
  const { config } = options;
  const hasPlaces = [config.repository, ...config.repositories].some((place) => place?.downloadType !== undefined);
  if (config.offline || !hasPlaces) return recipes;
  return withBinhosts(options, async ({ binhosts }) => {
    const found = binhosts.flatMap((binhost) => [...containersAt(binhost), ...packagesAt(binhost)]);
    const named = found.filter(({ name, version }) => matches(name) || matches(`${name}-${version}`));
    return [...named, ...recipes].sort(byName);
  });
}

/** Files are read only where the word is in them: a repository may hold very many. */
async function searchRecipes(options: SharingOptions, text: string): Promise<readonly FoundEntry[]> {
  const matches = matcher(text);
  const word = /[*?]/.test(text) ? undefined : text.toLowerCase();
  const places: RecipePlace[] = [];
  for (const place of await configuredRecipes(options)) {
    const isNamed = matches(place.name);
    if (isNamed || (word !== undefined && (await recipeTextAt(place))?.toLowerCase().includes(word) === true)) {
      places.push(place);
    }
  }
  const entries = (await readRecipes(places, options)).map(
    (found): Extract<FoundEntry, { kind: 'recipe' }> => ({
      ...{ kind: 'recipe', name: found.recipe.name, version: found.recipe.versions[0]! },
      ...{ place: found.recipe.repository, description: recipeDescription(found) },
    }),
  );
  return entries.filter(({ name, description }) => matches(name) || (word !== undefined && matches(description)));
}

/** Case is of no account; a pattern means the whole name. */
export function matcher(text: string): (name: string) => boolean {
  const wanted = text.toLowerCase();
  if (!/[*?]/.test(wanted)) return (name) => name.toLowerCase().includes(wanted);
  const expression = wanted
    .replace(/[^a-z0-9*?]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  const pattern = new RegExp(`^${expression}$`, 's');
  return (name) => pattern.test(name.toLowerCase());
}

function packagesAt({ name: place, index, policy }: Binhost): FoundEntry[] {
  return index.content.packages.map(({ name, version, platform, hash, size, key }) => ({
    ...{ kind: 'package', name, version, platform, place, hash, size, isKnownSigner: policy.trust.knows(key) },
  }));
}

function containersAt({ name: place, index, policy }: Binhost): FoundEntry[] {
  return index.content.containers.map((entry) => ({
    ...{ kind: 'container', name: containerTitle(entry), version: entry.version, platform: entry.platform, place },
    ...{ images: entry.images.length, publishedAt: entry.time, isKnownSigner: policy.trust.knows(entry.key) },
  }));
}

function byName(a: FoundEntry, b: FoundEntry): number {
  const [left, right] = [a, b].map(({ kind, name, version, place }) => [kind, name, version, place].join('\0'));
  return left! < right! ? -1 : left! > right! ? 1 : 0;
}

export interface OpenBinhosts {
  readonly store: Store;
  readonly sharing: Sharing;
  /** Those that can be reached and believed; the others have been warned of. */
  readonly binhosts: readonly Binhost[];
}

/** Opens every configured place for looking around. All of them down is an error; `mayLackPlaces` lets none be enough. */
export async function withBinhosts<Result>(
  options: SharingOptions,
  work: (open: OpenBinhosts) => Promise<Result>,
  { mayLackPlaces = false }: { readonly mayLackPlaces?: boolean } = {},
): Promise<Result> {
  const { config, context } = options;
  if (config.offline && !mayLackPlaces) throw offline(config.repository?.name ?? 'any');
  await provideFlock(options);
  const onWarning = (text: string) => context.emit({ kind: 'warning', text });
  const store = await openStore(config.store, { onWarning });
  const sharing = await openSharing(store, options);
  try {
    const opened = await Promise.all(sharing.places.map((place) => place.open()));
    const binhosts = opened.filter((binhost): binhost is Binhost => !('unusable' in binhost));
    if (!mayLackPlaces && binhosts.length === 0) throw noPlace(sharing.places.map(({ name }) => name));
    return await work({ store, sharing, binhosts });
  } finally {
    await sharing.close();
  }
}

function noPlace(names: readonly string[]): BuilditError {
  if (names.length === 0) {
    return new BuilditError(
      'configuration-invalid',
      'Cannot search: expected a binhost in the configuration, found none',
      {
        hint: 'a repository with download-type and download-path: see `buildit schema buildit-config`',
      },
    );
  }
  const shown = names.map((name) => `'${name}'`).join(', ');
  return new BuilditError('unreachable', `Cannot search: expected an answer of ${shown}, found none that can be used`);
}
