import { printable } from '../model/names.ts';
import { pathGlob } from '../model/path-glob.ts';
import { refuseText, type Text, type TextCheck } from './checked-text.ts';

/** A glob of paths in a package, without a leading slash. Complains about anything else. */
export function acceptPattern(text: Text, check: TextCheck): string | undefined {
  if (isClean(text.text) && pathGlob(text.text) !== undefined) return text.text;
  return refuseText(text, 'a pattern of paths without a leading slash such as usr/share/doc/**', check);
}

function isClean(text: string): boolean {
  return text.length <= 500 && printable(text) === text && !text.startsWith('/') && !/(^|\/)\.\.?(\/|$)/.test(text);
}
