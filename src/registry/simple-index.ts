import { type Digest, isDigest } from '../model/digest.ts';

/** A file that Python's index lists. The digest is what the index says: only what a lock pins is believed. */
export interface IndexedFile {
  readonly fileName: string;
  readonly url: string;
  readonly sha256: Digest | undefined;
}

/** A page of Python's simple index, in JSON (PEP 691) or HTML (PEP 503); `base` is where it was. Odd entries are left out. */
export function parseSimpleIndex(text: string, base: string): readonly IndexedFile[] {
  const entries = text.trimStart().startsWith('{') ? jsonEntries(text) : htmlEntries(text);
  return entries.flatMap(({ href, fileName, sha256 }) => {
    if (!URL.canParse(href, base)) return [];
    const url = new URL(href, base);
    const stated = sha256 ?? /sha256=([0-9a-f]{64})/.exec(url.hash)?.[1];
    url.hash = '';
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && base.startsWith('http:'))) return [];
    return [{ fileName, url: url.href, sha256: stated !== undefined && isDigest(stated) ? stated : undefined }];
  });
}

interface Entry {
  readonly href: string;
  readonly fileName: string;
  readonly sha256?: string | undefined;
}

function jsonEntries(text: string): readonly Entry[] {
  let files: unknown;
  try {
    files = (JSON.parse(text) as { readonly files?: unknown }).files;
  } catch {
    return [];
  }
  if (!Array.isArray(files)) return [];
  return files.flatMap((file: Readonly<Record<string, unknown>> | null) => {
    const { url, filename, hashes } = file ?? {};
    if (typeof url !== 'string' || typeof filename !== 'string') return [];
    const sha256 = (hashes as Readonly<Record<string, unknown>> | undefined)?.sha256;
    return [{ href: url, fileName: filename, sha256: typeof sha256 === 'string' ? sha256 : undefined }];
  });
}

function htmlEntries(text: string): readonly Entry[] {
  return [...text.matchAll(/<a\s([^<>]*)>([^<]*)<\/a>/gi)].flatMap(([, attributes, name]) => {
    const href = /(?<!\S)href\s*=\s*"([^"]*)"/i.exec(attributes!)?.[1];
    return href === undefined ? [] : [{ href: unescaped(href), fileName: unescaped(name!).trim() }];
  });
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', gt: '>', lt: '<', quot: '"' };

function unescaped(text: string): string {
  return text.replace(/&(amp|gt|lt|quot);/g, (_, name: string) => ENTITIES[name]!);
}
