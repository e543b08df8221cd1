import { wordsOfValue } from '../shell/shell-word.ts';

/** One part of what Gentoo writes as DEPEND or REQUIRED_USE (Package Manager Specification, 8.2). */
export type UsePart =
  | { readonly kind: 'word'; readonly word: string }
  | {
      readonly kind: 'group';
      /** `flag?` or `!flag?` without the question mark, `||`, `^^` or `??`; empty for brackets alone. */
      readonly operator: string;
      readonly parts: readonly UsePart[];
    };

/** Deeper groups are nothing a person wrote; what is in them is taken as if it stood above. */
const DEEPEST = 20;

/** Reads words and groups of them. Brackets that nothing closes end with the text. */
export function readUseString(text: string): readonly UsePart[] {
  const top: UsePart[] = [];
  const open: UsePart[][] = [top];
  let operator = '';
  for (const word of wordsOfValue(text)) {
    const parts = open.at(-1)!;
    if (word === '(') {
      const inner: UsePart[] = open.length > DEEPEST ? parts : [];
      if (inner !== parts) parts.push({ kind: 'group', operator, parts: inner });
      open.push(inner);
    } else if (word === ')') {
      if (open.length > 1) open.pop();
    } else if (!/^(?:\|\||\^\^|\?\?|!?[A-Za-z0-9][A-Za-z0-9+_@-]*\?)$/.test(word)) parts.push({ kind: 'word', word });
    operator = /^(?:\|\||\^\^|\?\?)$/.test(word)
      ? word
      : /^!?[A-Za-z0-9][A-Za-z0-9+_@-]*\?$/.test(word)
        ? word.slice(0, -1)
        : '';
  }
  return top;
}

/** The text of a part, on one line. */
export function useText(part: UsePart): string {
  if (part.kind === 'word') return part.word;
  const { operator, parts } = part;
  const before = operator === '' ? '' : /^[|^?]/.test(operator) ? `${operator} ` : `${operator}? `;
  return `${before}( ${parts.map(useText).join(' ')} )`;
}
