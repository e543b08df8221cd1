import { printable } from '../model/names.ts';

/** Endings of files whose own compression a server may name as that of the transfer, as Apache's AddEncoding does. */
const OWN_COMPRESSION: Readonly<Record<string, RegExp>> = {
  gzip: /\.(?:t?gz|tar\.gz|svgz|tgz|crate|apk)$/i,
  bzip2: /\.(?:t?bz2?|tbz2)$/i,
  xz: /\.t?xz$/i,
  zstd: /\.(?:t?zst|zstd)$/i,
  compress: /\.t?Z$/,
};

/**
 * How an answer differs from the file that was asked for, as its headers tell: buildit asks for `identity`, so a coding
 * comes from something between that changes answers. Undefined for the file itself.
 */
export function compressedAnswer(headers: Readonly<Record<string, string>>, url: string): string | undefined {
  const coding = headers['content-encoding']?.trim();
  if (coding === undefined || coding === '' || /^identity$/i.test(coding)) return undefined;
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  if (OWN_COMPRESSION[coding.toLowerCase().replace(/^x-/, '')]?.test(path) === true) return undefined;
  return `a compressed answer (Content-Encoding: ${printable(coding.slice(0, 40))})`;
}

/** Enough of a body to see what it is. */
export const TELLING_BYTES = 1024;
const PAGE_START = /^(?:<!doctype\s+html|<html|<head|<body|<script|<meta\s)/i;

/** Tells whether a body begins as a page for a browser does: after a byte order mark, blanks, comments and `<?xml …?>`. */
export function looksLikePage(start: Uint8Array): boolean {
  let text = Buffer.from(start.buffer, start.byteOffset, Math.min(start.byteLength, TELLING_BYTES)).toString('latin1');
  text = text.replace(/^\u00ef\u00bb\u00bf/, '').trimStart();
  for (const [opening, closing] of [
    ['<?xml', '?>'],
    ['<!--', '-->'],
    ['<!--', '-->'],
  ] as const) {
    if (!text.startsWith(opening)) continue;
    const end = text.indexOf(closing);
    if (end < 0) return false;
    text = text.slice(end + closing.length).trimStart();
  }
  return PAGE_START.test(text);
}

/** An HTML page where a file was asked for; `finalUrl` is where redirects led to. */
export function pageAnswer(url: string, finalUrl: string): string {
  const [asked, answered] = [url, finalUrl].map((text) => (URL.canParse(text) ? new URL(text).host : text));
  return asked === answered ? 'an HTML page' : `an HTML page from ${printable(answered!)}`;
}

/** Files that are pages by their names. */
export function isPageAddress(url: string): boolean {
  return URL.canParse(url) && /\.(?:x?html?|shtml)$/i.test(new URL(url).pathname);
}
