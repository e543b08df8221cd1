import { resolve } from 'node:path';
import { readText } from '../document/read-text.ts';
import { resolveInside } from '../document/resolve-inside.ts';
import type { BinhostConfig } from '../model/config.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { classifyLocation, shownLocation } from './classify-location.ts';
import { discoverOnWeb } from './discover-on-web.ts';
import { type Discovery, DiscoveryFailure, type DiscoveryStep } from './discovery.ts';
import { type FetchedGit, fetchGit } from './fetch-git.ts';
import { GitFailure } from './git-failure.ts';
import { createInquiry, type Inquiry } from './inquiry.ts';
import { NOTHING, type Offer, type Origin, offerOf } from './offered.ts';
import { parseBuilditJson } from './parse-buildit-json.ts';
import type { DiscoveryRequest } from './parse-discovery.ts';
import { isLoopbackAddress } from './web-address.ts';

/** What matters here of a binhost of the configuration. */
export type ConfiguredBinhost = Pick<BinhostConfig, 'name' | 'downloadType' | 'downloadPath' | 'priority'>;

export interface DiscoverOptions {
  readonly config: {
    readonly repository: ConfiguredBinhost | undefined;
    readonly repositories: readonly ConfiguredBinhost[];
    readonly offline: boolean;
  };
  /** Absolute path that a relative location starts from. */
  readonly directory: string;
  /** Absolute path of a private directory for fetched git repositories; see `fetchGit`. */
  readonly gitDirectory: string;
  /** Full commit id that a lock pins the location to, where it is a git repository. */
  readonly revision?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** PEM text of the only authorities that are trusted. */
  readonly ca?: string | undefined;
  readonly pageTimeoutMs?: number | undefined;
  readonly gitTimeoutMs?: number | undefined;
  /** Told of each answer as it comes. */
  readonly onStep?: ((step: DiscoveryStep) => void) | undefined;
}

type Wanted = Pick<DiscoveryRequest, 'location' | 'ref' | 'name'>;

const BUILDIT_JSON = 'buildit.json';
const MAXIMUM_BYTES = 512 * 1024;

/**
 * Finds what a location offers: a configured name, a path, a git repository (named as one, or on a known forge), the
 * discovery tags of a page and of those above it, the well-known file of its host. What is offered is only told: nothing
 * of it is trusted, and nothing is uploaded.
 *
 * @throws DiscoveryFailure `unreachable` with everything tried; BuilditError `usage` for a location that is none,
 * `input-invalid` for a buildit.json with mistakes, `archive-refused` for a hostile repository.
 */
export async function discover(request: Wanted, options: DiscoverOptions): Promise<Discovery> {
  const { config, onStep, signal, ca, pageTimeoutMs } = options;
  const location = shownLocation(request.location);
  const inquiry = createInquiry(location, { signal, ca, pageTimeoutMs, offline: config.offline }, onStep);
  const offer = offerOfConfigured(request, options, inquiry) ?? (await offerAt(request, options, inquiry));
  if (offer === undefined) throw new DiscoveryFailure(location, inquiry.steps);
  return { location, ...onlyNamed(offer, request.name, location), steps: inquiry.steps };
}

/** The name of a configured binhost stands for that. */
function offerOfConfigured({ location }: Wanted, { config }: DiscoverOptions, inquiry: Inquiry): Offer | undefined {
  const configured = [config.repository, ...config.repositories].filter((binhost) => binhost !== undefined);
  const binhost = configured.find(({ name }) => name === location);
  if (binhost === undefined) {
    inquiry.note(`configured names (${configured.map(({ name }) => name).join(', ') || 'none'})`, 'not among them');
    return undefined;
  }
  const offered = configuredBinhost(binhost);
  inquiry.note(`configured name ${binhost.name}`, offered === undefined ? 'without a place to download from' : 'found');
  return offered && { ...NOTHING, binhosts: [offered] };
}

function configuredBinhost({ name, downloadType, downloadPath, priority }: ConfiguredBinhost) {
  if (downloadType === undefined || downloadPath === undefined) return undefined;
  return { name, downloadType, downloadPath, priority };
}

async function offerAt(request: Wanted, options: DiscoverOptions, inquiry: Inquiry): Promise<Offer | undefined> {
  const location = classifyLocation(request.location);
  let usesGit = false;
  const inGit = (url: string) => {
    usesGit = true;
    return offerInGit(url, request.ref, options, inquiry);
  };
  const offer = await (() => {
    switch (location.kind) {
      case 'path':
        return offerInDirectory(resolve(options.directory, location.path), inquiry);
      case 'git':
        return inGit(location.url);
      case 'web':
        return discoverOnWeb(location, inquiry, inGit);
    }
  })();
  if (offer !== undefined && request.ref !== undefined && !usesGit) {
    const message = `Cannot use "ref=${request.ref}" of ${inquiry.location}: expected a git repository, found another place`;
    throw new BuilditError('usage', message, { hint: 'leave ref= out' });
  }
  return offer;
}

async function offerInDirectory(directory: string, inquiry: Inquiry): Promise<Offer | undefined> {
  const origin: Origin = { kind: 'directory', directory };
  return offerInTree(origin, `${printable(directory)}/${BUILDIT_JSON}`, inquiry);
}

async function offerInGit(
  url: string,
  ref: string | undefined,
  options: DiscoverOptions,
  inquiry: Inquiry,
): Promise<Offer | undefined> {
  const tried = `git ${url}${ref === undefined ? '' : ` ref ${ref}`}`;
  let fetched: FetchedGit;
  try {
    fetched = await fetchGit(
      { url, ref, revision: options.revision },
      {
        directory: options.gitDirectory,
        signal: options.signal,
        offline: options.config.offline,
        timeoutMs: options.gitTimeoutMs,
        environment: options.environment,
        ca: options.ca,
      },
    );
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    inquiry.note(tried, error.answer);
    if (error.code === 'configuration-invalid' || error.hint?.includes('CA_CERTS')) {
      throw new DiscoveryFailure(inquiry.location, inquiry.steps, error.hint);
    }
    return undefined;
  }
  inquiry.note(tried, `revision ${fetched.revision}`);
  return offerInTree({ kind: 'git', url, ref, ...fetched }, `${BUILDIT_JSON} at its root`, inquiry);
}

async function offerInTree(
  origin: Extract<Origin, { directory: string }>,
  tried: string,
  inquiry: Inquiry,
): Promise<Offer | undefined> {
  const found = await resolveInside(origin.directory, BUILDIT_JSON);
  if (found.kind !== 'file') {
    inquiry.note(tried, found.kind === 'outside' ? 'a link that leaves the directory' : 'not there');
    return undefined;
  }
  const name = origin.kind === 'git' ? `${origin.url}/${BUILDIT_JSON}` : found.path;
  const document = await readText(found.path, { name, maximumBytes: MAXIMUM_BYTES, code: 'input-invalid' });
  inquiry.note(tried, 'found');
  const allowThisMachine = origin.kind === 'directory' || isLoopbackAddress(origin.url);
  return offerOf(await parseBuilditJson(document, { allowThisMachine, isAlone: false }), origin);
}

/** `name=` takes one of several repositories and places; it never gives another name, since locks know them by theirs. */
function onlyNamed(offer: Offer, name: string | undefined, location: string): Offer {
  if (name === undefined) return offer;
  const isNamed = (offered: { readonly name: string }) => offered.name === name;
  const recipes = offer.recipes.filter(isNamed);
  const binhosts = offer.binhosts.filter(isNamed);
  if (recipes.length + binhosts.length > 0) return { ...offer, recipes, binhosts };
  const names = [...new Set([...offer.recipes, ...offer.binhosts].map((offered) => offered.name))];
  throw new BuilditError(
    'usage',
    `Cannot use "name=${name}" of ${location}: expected ${names.join(', ') || 'no name'}, found "${name}"`,
  );
}
