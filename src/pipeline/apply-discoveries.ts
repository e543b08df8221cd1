import { join } from 'node:path';
import { discover } from '../discover/discover.ts';
import type { Discovery, OfferedBinhost, OfferedRecipes } from '../discover/discovery.ts';
import { type FetchedGit, fetchGit } from '../discover/fetch-git.ts';
import type { DiscoveryRequest } from '../discover/parse-discovery.ts';
import { readContainerLock } from '../lock/lock-file.ts';
import type { BinhostConfig, Config, GitRecipes, RecipeRepository } from '../model/config.ts';
import { BuilditError } from '../model/errors.ts';
import type { DiscoveredPin } from '../model/lock.ts';
import { printable } from '../model/names.ts';
import { fingerprint } from '../signing/public-key.ts';
import { parsePublicKey } from '../signing/public-key-text.ts';
import type { Store } from '../store/store.ts';
import type { BuildOptions } from './contract.ts';

export interface DiscoveredOptions {
  /** With the recipes and binhosts of all locations added to the configuration. */
  readonly options: BuildOptions;
  /** For the lock, by location. */
  readonly pins: Readonly<Record<string, DiscoveredPin>>;
}

/**
 * Adds what locations offer to the configuration of one run. Nothing of it comes before what is configured, nobody is
 * trusted for it who was not trusted or named with `trust=`, and what the lock pins stays as it was, unless it is asked
 * for `anew`.
 */
export async function applyDiscoveries(
  store: Store,
  options: BuildOptions,
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<DiscoveredOptions> {
  if (options.discover.length === 0 && options.config.gitRecipes.length === 0) return { options, pins: {} };
  const known = anew ? {} : ((await readContainerLock(options.directory))?.discovered ?? {});
  const pins: Record<string, DiscoveredPin> = {};
  let { config } = options;
  for (const recipes of config.gitRecipes) {
    const location = `${recipes.git}${recipes.ref === undefined ? '' : `#${recipes.ref}`}`;
    const pinned = Object.hasOwn(known, location) ? known[location] : undefined;
    const { directory: path, revision } = await fetchRecipes(store, recipes, pinned, options);
    pins[location] = pinned ?? { revision, signers: [], recipes: {} };
    config = { ...config, recipes: [...config.recipes, { name: recipes.name, path }] };
  }
  for (const request of options.discover) {
    const pinned = Object.hasOwn(known, request.location) ? known[request.location] : undefined;
    const found = await discoverOne(store, request, pinned, options);
    const recipes: Record<string, string> = {};
    config = await extended(config, found, { request, pinned, store, options, recipes });
    pins[request.location] = pinned ?? {
      revision: found.revision ?? null,
      signers: [...request.trust].sort(),
      recipes,
    };
  }
  return { options: { ...options, config }, pins };
}

/** The recipes of the configuration that lie in a git repository, at the commit that the lock names. */
export async function fetchRecipes(
  store: Store,
  { git: url, ref, name }: GitRecipes,
  pinned: DiscoveredPin | undefined,
  { config, context }: Pick<BuildOptions, 'config' | 'context'>,
): Promise<FetchedGit> {
  const task = `recipes ${name}`;
  context.emit({ kind: 'task-started', task, label: `fetching the recipes ${name}` });
  let outcome: 'done' | 'failed' = 'failed';
  try {
    const fetched = await fetchGit(
      { url, ref, revision: pinned?.revision ?? undefined },
      { directory: gitDirectory(store), signal: context.signal, offline: config.offline, environment: process.env },
    );
    outcome = 'done';
    return fetched;
  } finally {
    context.emit({ kind: 'task-finished', task, outcome });
  }
}

async function discoverOne(
  store: Store,
  request: DiscoveryRequest,
  pinned: DiscoveredPin | undefined,
  { config, context, directory }: BuildOptions,
): Promise<Discovery> {
  const task = `discover ${request.location}`;
  context.emit({ kind: 'task-started', task, label: `asking ${printable(request.location)}` });
  let outcome: 'done' | 'failed' = 'failed';
  try {
    const found = await discover(request, {
      config,
      directory,
      gitDirectory: gitDirectory(store),
      revision: pinned?.revision ?? undefined,
      signal: context.signal,
      environment: process.env,
    });
    outcome = 'done';
    return found;
  } finally {
    context.emit({ kind: 'task-finished', task, outcome });
  }
}

export function gitDirectory(store: Store): string {
  return join(store.directory, 'git');
}

interface Extension {
  readonly request: DiscoveryRequest;
  readonly pinned: DiscoveredPin | undefined;
  readonly store: Store;
  readonly options: BuildOptions;
  /** Told which commit the recipes of another repository are of. */
  readonly recipes: Record<string, string>;
}

async function extended(config: Config, found: Discovery, extension: Extension): Promise<Config> {
  const recipes: RecipeRepository[] = [...config.recipes];
  for (const offered of found.recipes) {
    const recipe = { name: offered.name, path: await recipesPath(offered, extension) };
    const known = recipes.find(({ name }) => name === recipe.name);
    if (known === undefined) recipes.push(recipe);
    else if (known.path !== recipe.path) throw shadowing('recipes', offered.name, found.location);
  }
  const repositories = [...config.repositories];
  for (const offered of found.binhosts) {
    const places = [config.repository, ...repositories].filter((place) => place !== undefined);
    const known = places.find(({ name }) => name === offered.name);
    if (known === undefined) repositories.push(discoveredBinhost(offered, found, extension));
    else if (known.downloadPath !== offered.downloadPath) throw shadowing('binhost', offered.name, found.location);
  }
  return { ...config, recipes, repositories };
}

async function recipesPath(offered: OfferedRecipes, { store, options, pinned, recipes }: Extension): Promise<string> {
  if (offered.directory !== undefined) return offered.directory;
  const { config, context } = options;
  const fetched = await fetchGit(
    { url: offered.git!, ref: offered.ref, revision: pinned?.recipes[offered.name] ?? offered.revision },
    { directory: gitDirectory(store), signal: context.signal, offline: config.offline, environment: process.env },
  );
  recipes[offered.name] = fetched.revision;
  return join(fetched.directory, offered.path);
}

function discoveredBinhost(
  offered: OfferedBinhost,
  { signers }: Discovery,
  { request, pinned }: Extension,
): BinhostConfig {
  const offeredKeys = signers.flatMap((signer) => offeredFingerprint(signer) ?? []);
  // A fingerprint that the user typed counts whether the location names it or not: the user has seen it elsewhere.
  const trustedKeys = request.trust.length > 0 ? request.trust : [];
  return {
    name: offered.name,
    uploadType: undefined,
    uploadPath: undefined,
    downloadType: offered.downloadType,
    downloadPath: offered.downloadPath,
    priority: offered.priority ?? 0,
    verify: 'require',
    signers: undefined,
    builders: 1,
    freshness: 'warn',
    timeoutMs: undefined,
    ca: undefined,
    insecure: false,
    driver: 'builtin',
    trustedKeys,
    pinnedKeys: pinned !== undefined && pinned.signers.length > 0 ? pinned.signers : narrowed(offeredKeys, trustedKeys),
  };
}

/** Where a location says whose keys it uses, no other key counts there. */
function narrowed(offered: readonly string[], trusted: readonly string[]): readonly string[] | undefined {
  return offered.length === 0 ? undefined : [...new Set([...offered, ...trusted])];
}

/** Of a fingerprint, or a line of allowed_signers. */
function offeredFingerprint(signer: string): string | undefined {
  if (signer.startsWith('SHA256:')) return signer;
  const [, key] = /(?<![^\s])((?:ssh|ecdsa|sk-)[^\s]* [A-Za-z0-9+/=]+)/.exec(signer) ?? [];
  try {
    return key === undefined ? undefined : fingerprint(parsePublicKey(key).publicKey);
  } catch {
    return undefined;
  }
}

function shadowing(what: string, name: string, location: string): BuilditError {
  return new BuilditError(
    'configuration-invalid',
    `Cannot use what "${printable(location)}" offers: expected a name that is not configured, found the ${what} "${name}" in both`,
    { hint: 'take others of it with name=…, or give yours another name' },
  );
}
