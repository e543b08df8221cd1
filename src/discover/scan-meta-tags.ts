export interface MetaTag {
  readonly name: string;
  readonly content: string;
}

const MAXIMUM_TAGS = 200;
/** Elements of a head without content that matters, besides those whose content is text. */
const IN_HEAD = new Set(['html', 'head', 'meta', 'link', 'base']);
const WITH_TEXT = new Set(['title', 'script', 'style', 'noscript', 'template']);
const TAG_NAME = /[a-z][a-z0-9-]*/iy;
const ATTRIBUTE = /[\s/]*([^\s=>/"'<]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?/y;
const TAG_END = /[\s/]*>/y;

/**
 * The `<meta name content>` tags in the head of a page, at most 200. Reading ends at the first thing that does not belong
 * into a head, as in a browser: what visitors may write into the body of a page announces nothing. Scripts and comments
 * are passed over; what is malformed ends the reading. Takes time in proportion to the page.
 */
export function scanMetaTags(html: string): readonly MetaTag[] {
  const tags: MetaTag[] = [];
  let at = html.startsWith('\ufeff') ? 1 : 0;
  while (tags.length < MAXIMUM_TAGS) {
    while (at < html.length && /\s/.test(html[at]!)) at += 1;
    const next = skipMarkup(html, at);
    if (next === undefined) break;
    if (next > at) {
      at = next;
      continue;
    }
    const tag = readTag(html, at);
    if (tag === undefined) break;
    at = tag.end;
    const name = tag.attributes.get('name');
    const content = tag.attributes.get('content');
    if (tag.element === 'meta' && name !== undefined && content !== undefined) tags.push({ name, content });
    if (!WITH_TEXT.has(tag.element)) continue;
    const end = endOfText(html, at, tag.element);
    if (end === undefined) break;
    at = end;
  }
  return tags;
}

/** Behind a comment, a doctype or a processing instruction at `at`; `at` itself where a tag begins; else undefined. */
function skipMarkup(html: string, at: number): number | undefined {
  if (html[at] !== '<') return undefined;
  const [opening, closing] = html.startsWith('<!--', at) ? ['<!--', '-->'] : [html.slice(at, at + 2), '>'];
  if (opening !== '<!--' && opening !== '<!' && opening !== '<?') return at;
  const end = html.indexOf(closing, at + opening.length);
  return end < 0 ? undefined : end + closing.length;
}

interface Tag {
  readonly element: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly end: number;
}

/** A start tag that belongs into a head. */
function readTag(html: string, at: number): Tag | undefined {
  const element = match(TAG_NAME, html, at + 1)?.[0].toLowerCase();
  if (element === undefined || !(IN_HEAD.has(element) || WITH_TEXT.has(element))) return undefined;
  const attributes = new Map<string, string>();
  let position = at + 1 + element.length;
  for (;;) {
    const end = match(TAG_END, html, position);
    if (end !== undefined) return { element, attributes, end: position + end[0].length };
    const attribute = match(ATTRIBUTE, html, position);
    if (attribute === undefined) return undefined;
    const [whole, name, ...values] = attribute;
    const key = name!.toLowerCase();
    // Of the same attribute twice, a browser takes the first.
    if (!attributes.has(key)) attributes.set(key, decodeEntities(values.find((value) => value !== undefined) ?? ''));
    position += whole.length;
  }
}

function match(pattern: RegExp, html: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(html) ?? undefined;
}

function endOfText(html: string, at: number, element: string): number | undefined {
  const closing = new RegExp(`</${element}\\s*>`, 'gi');
  closing.lastIndex = at;
  return closing.exec(html) === null ? undefined : closing.lastIndex;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name]! : whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : '\ufffd';
  });
}
