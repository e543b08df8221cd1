import { withoutTrailing } from '../model/without-trailing.ts';
import type { DiscoveryStep, OfferedImages } from './discovery.ts';
import type { MetaTag } from './scan-meta-tags.ts';
import { type WebAddressRules, webAddressFault } from './web-address.ts';

/** What the tags of one page say about a location. */
export interface TagAnswers {
  /** Addresses that `buildit-discovery` tags name, in the order of the page. */
  readonly addresses: readonly string[];
  readonly images: readonly OfferedImages[];
  /** Tags that are no use, each with the reason. */
  readonly refused: readonly DiscoveryStep[];
}

const PLACEHOLDERS = ['name', 'version', 'os', 'arch', 'ext'] as const;

export type ImageNames = Readonly<Record<(typeof PLACEHOLDERS)[number], string>>;

/**
 * Finds the tags that are meant for a location (`host/path`), following the appc specification, "App Container Image
 * Discovery": `<meta name="buildit-discovery" content="PREFIX ADDRESS">` and
 * `<meta name="ac-discovery" content="PREFIX TEMPLATE">`. A prefix ends where a path element does.
 */
export function readDiscoveryTags(tags: readonly MetaTag[], location: string, rules: WebAddressRules): TagAnswers {
  const addresses: string[] = [];
  const images: OfferedImages[] = [];
  const refused: DiscoveryStep[] = [];
  for (const { name, content } of tags) {
    if (name !== 'buildit-discovery' && name !== 'ac-discovery') continue;
    const [prefix = '', address = '', ...more] = content.trim().split(/\s+/);
    const tried = `<meta name="${name}">`;
    if (address === '' || more.length > 0) {
      refused.push({ tried, answer: 'no prefix and address in it' });
    } else if (!isPrefixOf(prefix, location)) {
      refused.push({ tried, answer: 'for other names' });
    } else if (name === 'ac-discovery') {
      const fault = templateFault(address, rules);
      if (fault === undefined) images.push({ prefix, template: address });
      else refused.push({ tried, answer: `refused: ${fault}` });
    } else {
      const fault = webAddressFault(address.replace(/^git\+/, ''), rules);
      if (fault === undefined) addresses.push(address);
      else refused.push({ tried, answer: `refused: ${fault}` });
    }
  }
  return { addresses, images, refused };
}

function isPrefixOf(prefix: string, location: string): boolean {
  const clean = withoutTrailing(prefix, '/');
  return clean !== '' && (location === clean || location.startsWith(`${clean}/`));
}

/** The address of an image: the template with its placeholders filled in, as the appc specification has it. */
export function fillTemplate(template: string, names: ImageNames): string {
  return template.replace(/\{([a-z]+)\}/g, (whole, name) =>
    Object.hasOwn(names, name) ? names[name as keyof ImageNames].split('/').map(encodeURIComponent).join('/') : whole,
  );
}

function templateFault(template: string, rules: WebAddressRules): string | undefined {
  const words = PLACEHOLDERS.reduce((text, name) => text.replaceAll(`{${name}}`, ''), template);
  if (/[{}]/.test(words)) return 'an unknown word in braces';
  const filled = fillTemplate(template, { name: 'name', version: '1', os: 'linux', arch: 'amd64', ext: 'aci' });
  return webAddressFault(filled, rules);
}
