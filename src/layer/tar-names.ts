import { isUtf8 } from 'node:buffer';
import { nameBytes, shownName, textOfName } from './byte-names.ts';
import { TarHeaderFault } from './tar-header.ts';
import type { TarLimits } from './tar-limits.ts';

export interface NameRules extends Pick<TarLimits, 'maxDepth' | 'maxNameBytes'> {
  /** `bytes`: names in any encoding are kept, as `textOfName` writes them; else they must be UTF-8. */
  readonly names?: 'utf-8' | 'bytes' | undefined;
  /** Empty and `.` elements are left out, as file systems do: `a//b/./c` is `a/b/c`. */
  readonly collapse?: boolean | undefined;
}

/**
 * Turns a member's name into a clean relative path: without a leading `./` and without a trailing slash, '' for `./`
 * itself. Absolute names and `..` elements are refused, and so are empty and `.` elements unless `collapse` is set. Names
 * that are not UTF-8 are refused, unless bytes are to be kept: a listing is JSON text, and a name that text cannot hold
 * could not be written again as it was.
 */
export function cleanTarPath(raw: Buffer, rules: NameRules): string {
  const name = text(raw, rules);
  let path = rules.collapse === true ? collapsed(name) : name;
  while (path.startsWith('./')) path = path.slice(2);
  if (path === '.') return '';
  if (path.endsWith('/')) path = path.slice(0, -1);
  if (path === '' && name.startsWith('./')) return '';
  if (HAS_ODD_ELEMENT.test(path)) {
    throw new TarHeaderFault('a relative name without empty, "." or ".." elements', JSON.stringify(name));
  }
  // Two bytes at least for each element: most names are too short to be too deep or to hold a long element.
  if (path.length > rules.maxDepth || raw.length > 255) checkElements(path, rules);
  return path;
}

const HAS_ODD_ELEMENT = /(?:^|\/)\.{0,2}(?:\/|$)/;

/** Leaves the leading slash of an absolute name, and one at the end. */
function collapsed(name: string): string {
  if (!name.includes('//') && !name.includes('/.') && !name.startsWith('./')) return name;
  const isAbsolute = name.startsWith('/');
  const elements = name.split('/').filter((element) => element !== '' && element !== '.');
  if (elements.length === 0) return isAbsolute ? name : './';
  return `${isAbsolute ? '/' : ''}${elements.join('/')}${name.endsWith('/') ? '/' : ''}`;
}

/** The text of a symbolic link: anything but nothing. */
export function linkText(raw: Buffer, rules: Pick<NameRules, 'maxNameBytes' | 'names'>): string {
  const target = text(raw, rules);
  if (target === '') throw new TarHeaderFault('the target of a link', 'none');
  return target;
}

function text(raw: Buffer, { maxNameBytes, names }: Pick<NameRules, 'maxNameBytes' | 'names'>): string {
  if (raw.length > maxNameBytes) throw new TarHeaderFault(`a name of at most ${maxNameBytes} bytes`, `${raw.length}`);
  if (names !== 'bytes' && !isUtf8(raw)) throw new TarHeaderFault('a name in UTF-8', `"${shownName(raw)}"`);
  if (raw.includes(0)) throw new TarHeaderFault('a name without NUL', 'one with it');
  return textOfName(raw);
}

function checkElements(path: string, { maxDepth }: Pick<TarLimits, 'maxDepth'>): void {
  const elements = path.split('/');
  if (elements.length > maxDepth) {
    throw new TarHeaderFault(`a name of at most ${maxDepth} elements`, `${elements.length}`);
  }
  const longest = elements.find((element) => nameBytes(element).length > 255);
  if (longest !== undefined) throw new TarHeaderFault('name elements of at most 255 bytes', `${longest.slice(0, 40)}…`);
}
