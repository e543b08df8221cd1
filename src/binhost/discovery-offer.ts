import { canonicalJson } from '../model/canonical-json.ts';

/**
 * The `buildit.json` that `--discover` of a place's address finds: this binhost. Whom to believe there is for each reader
 * to say.
 */
export function discoveryOffer(name: string, url: string): string {
  const binhost = { name, 'download-type': 'https', 'download-path': url.slice('https://'.length) };
  return `${canonicalJson({ format: 1, name, binhosts: [binhost] })}\n`;
}
