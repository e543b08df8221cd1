import { isUtf8 } from 'node:buffer';
import { TarHeaderFault } from './tar-header.ts';
import type { TarLimits } from './tar-limits.ts';

/**
 * Turns a member's name into a clean relative path: without a leading `./` and without a trailing slash, '' for `./`
 * itself. Absolute names and empty, `.` or `..` elements are refused. So are names that are not UTF-8: a listing is JSON
 * text, and a name that text cannot hold could not be written again as it was.
 */
export function cleanTarPath(raw: Buffer, limits: Pick<TarLimits, 'maxDepth' | 'maxNameBytes'>): string {
  const name = text(raw, limits);
  let path = name;
  while (path.startsWith('./')) path = path.slice(2);
  if (path === '.') return '';
  if (path.endsWith('/')) path = path.slice(0, -1);
  if (path === '' && name.startsWith('./')) return '';
  if (HAS_ODD_ELEMENT.test(path)) {
    throw new TarHeaderFault('a relative name without empty, "." or ".." elements', JSON.stringify(name));
  }
  // Two bytes at least for each element: most names are too short to be too deep or to hold a long element.
  if (path.length > limits.maxDepth || raw.length > 255) checkElements(path, limits);
  return path;
}

const HAS_ODD_ELEMENT = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** The text of a symbolic link: anything but nothing. */
export function linkText(raw: Buffer, limits: Pick<TarLimits, 'maxNameBytes'>): string {
  const target = text(raw, limits);
  if (target === '') throw new TarHeaderFault('the target of a link', 'none');
  return target;
}

function text(raw: Buffer, { maxNameBytes }: Pick<TarLimits, 'maxNameBytes'>): string {
  if (raw.length > maxNameBytes) throw new TarHeaderFault(`a name of at most ${maxNameBytes} bytes`, `${raw.length}`);
  if (!isUtf8(raw)) throw new TarHeaderFault('a name in UTF-8', JSON.stringify(raw.toString('latin1', 0, 100)));
  if (raw.includes(0)) throw new TarHeaderFault('a name without NUL', 'one with it');
  return raw.toString('utf8');
}

function checkElements(path: string, { maxDepth }: Pick<TarLimits, 'maxDepth'>): void {
  const elements = path.split('/');
  if (elements.length > maxDepth) {
    throw new TarHeaderFault(`a name of at most ${maxDepth} elements`, `${elements.length}`);
  }
  const longest = elements.find((element) => Buffer.byteLength(element) > 255);
  if (longest !== undefined) throw new TarHeaderFault('name elements of at most 255 bytes', `${longest.slice(0, 40)}…`);
}
