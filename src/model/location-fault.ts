import { printable } from './names.ts';

/** Why a text is no location. Both halves of the sentence are printable. */
export interface LocationFault {
  readonly expected: string;
  readonly found: string;
  readonly hint?: string;
  /** The text may hold a password and must not be shown. */
  readonly isSecret?: boolean;
}

/** The first character that `allowed` does not match, or that a terminal would obey, as a message names it. */
export function oddCharacter(text: string, allowed: RegExp): string | undefined {
  for (const character of text) {
    const shown = printable(character);
    if (shown === character && allowed.test(character)) continue;
    return character === ' ' ? 'a blank' : `the character ${character === '"' ? `'"'` : `"${shown}"`}`;
  }
  return undefined;
}
