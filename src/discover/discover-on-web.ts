import { append } from '../model/append.ts';
import { BuilditError } from '../model/errors.ts';
import { isRepositoryName } from '../model/names.ts';
import { withoutTrailing } from '../model/without-trailing.ts';
import { askPage, type PageAnswer } from './ask-page.ts';
import type { OfferedImages } from './discovery.ts';
import { readDiscoveryTags } from './discovery-tags.ts';
import { documentFromBytes } from './document-from-bytes.ts';
import type { Inquiry } from './inquiry.ts';
import { NOTHING, type Offer, offerOf } from './offered.ts';
import { parseBuilditJson } from './parse-buildit-json.ts';
import { scanMetaTags } from './scan-meta-tags.ts';
import { isLoopbackAddress } from './web-address.ts';

export interface WebPlace {
  readonly scheme: 'https' | 'http';
  readonly host: string;
  readonly path: string;
}

/** What a git repository found on the way offers; given in, because it is another way to discover. */
export type DiscoverInGit = (url: string) => Promise<Offer | undefined>;

/**
 * Asks the pages of a location for their tags, from the location up to the root of its host, then the well-known file.
 * Tags of images alone are an answer only where nothing else is.
 */
export async function discoverOnWeb(
  place: WebPlace,
  inquiry: Inquiry,
  inGit: DiscoverInGit,
): Promise<Offer | undefined> {
  const site = `${place.scheme}://${place.host}`;
  const web = createWeb(inquiry);
  const images: OfferedImages[] = [];
  for (const path of pathsUpwards(place.path)) {
    const page = await web.ask(`${site}/${path}?ac-discovery=1`);
    if (page === undefined) continue;
    const tags = readTags(page, place);
    append(
      images,
      tags.images.filter((found) => !images.some(({ template }) => template === found.template)),
    );
    inquiry.note(`${site}/${path}?ac-discovery=1`, tagsAnswer(tags));
    for (const step of tags.refused) inquiry.note(step.tried, step.answer);
    for (const address of tags.addresses) {
      const offer = await followAddress(address, { place, web, inGit });
      if (offer !== undefined) return { ...offer, images };
    }
  }
  const offer = await web.readBuilditJson(`${site}/.well-known/buildit.json`);
  if (offer !== undefined) return { ...offer, images };
  if (images.length === 0) return undefined;
  return { ...NOTHING, images };
}

/** `a/b` → `a/b`, `a`, ``. */
function pathsUpwards(path: string): readonly string[] {
  const elements = path === '' ? [] : path.split('/');
  return [...elements.map((_, index) => elements.slice(0, elements.length - index).join('/')), ''];
}

function readTags(page: Buffer, { scheme, host, path }: WebPlace) {
  const named = path === '' ? host : `${host}/${path}`;
  const rules = { allowThisMachine: isLoopbackAddress(`${scheme}://${host}`) };
  return readDiscoveryTags(scanMetaTags(page.toString('utf8')), named, rules);
}

function tagsAnswer({ addresses, images, refused }: ReturnType<typeof readDiscoveryTags>): string {
  const said = [
    ...(addresses.length === 0 ? [] : [`${addresses.length} buildit-discovery`]),
    ...(images.length === 0 ? [] : [`${images.length} ac-discovery`]),
  ];
  if (said.length > 0)
    return `a page with ${said.join(' and ')} ${addresses.length + images.length === 1 ? 'tag' : 'tags'}`;
  return refused.length === 0 ? 'a page without discovery tags' : 'a page without discovery tags of use';
}

interface Following {
  readonly place: WebPlace;
  readonly web: Web;
  readonly inGit: DiscoverInGit;
}

/** A tag leads to a git repository, to a file, or to a directory that holds one: a buildit.json, or a binhost. */
async function followAddress(address: string, { place, web, inGit }: Following): Promise<Offer | undefined> {
  if (address.startsWith('git+') || /\.git\/?$/.test(address)) return inGit(address.replace(/^git\+/, ''));
  if (address.endsWith(`/${IDENTITY}`)) return web.readIdentity(address, place.scheme);
  if (address.endsWith('.json')) return web.readBuilditJson(address);
  const directory = withoutTrailing(address, '/');
  return (
    (await web.readBuilditJson(`${directory}/buildit.json`)) ??
    (await web.readIdentity(`${directory}/${IDENTITY}`, place.scheme))
  );
}

/** The file that makes a directory a binhost. */
const IDENTITY = 'buildit-binhost.json';

type Web = ReturnType<typeof createWeb>;

/** Pages of the web, of which each host that gives no answer is asked once. */
function createWeb(inquiry: Inquiry) {
  const down = new Set<string>();
  /** Notes every answer but a page: what a page holds is for its reader to say. */
  const ask = async (url: string): Promise<Buffer | undefined> => {
    const { origin } = new URL(url);
    const answer: PageAnswer = down.has(origin)
      ? { kind: 'none', answer: 'not asked, since its host gave no answer', isDown: true }
      : await askPage(url, inquiry);
    if (answer.kind === 'page') return answer.bytes;
    if (answer.isDown) down.add(origin);
    inquiry.note(url, answer.answer);
    return undefined;
  };
  return {
    ask,
    /** @throws BuilditError, BuilditErrors `input-invalid` for one with mistakes. */
    async readBuilditJson(url: string): Promise<Offer | undefined> {
      const bytes = await ask(url);
      if (bytes === undefined) return undefined;
      if (!looksLikeJson(bytes)) {
        inquiry.note(url, 'a page that is no JSON');
        return undefined;
      }
      inquiry.note(url, 'a buildit.json');
      const rules = { allowThisMachine: isLoopbackAddress(url), isAlone: true };
      return offerOf(await parseBuilditJson(documentFromBytes(bytes, url), rules), { kind: 'web' });
    },
    async readIdentity(url: string, scheme: 'https' | 'http'): Promise<Offer | undefined> {
      const bytes = await ask(url);
      if (bytes === undefined) return undefined;
      const name = identityName(bytes);
      inquiry.note(url, name === undefined ? 'no name of a binhost in it' : `the binhost ${name}`);
      if (name === undefined) return undefined;
      const downloadPath = url.slice(url.indexOf('://') + 3, -`/${IDENTITY}`.length);
      const downloadType = url.startsWith('https:') ? 'https' : scheme;
      const binhost = { name, downloadType, downloadPath, priority: undefined };
      return { ...NOTHING, binhosts: [binhost] };
    },
  };
}

/** Many servers answer every question with a page for people. */
function looksLikeJson(bytes: Buffer): boolean {
  return /^\s*[[{]/.test(bytes.toString('utf8', 0, 1000));
}

function identityName(bytes: Buffer): string | undefined {
  try {
    const { name } = JSON.parse(documentFromBytes(bytes, IDENTITY).text) as { name?: unknown };
    return typeof name === 'string' && isRepositoryName(name) ? name : undefined;
  } catch (error) {
    if (error instanceof BuilditError || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}
