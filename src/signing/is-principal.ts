import { printable } from '../model/names.ts';

/** Whether a text can be the name of one signer: no pattern, and nothing that means something in allowed_signers. */
export function isPrincipal(text: string): boolean {
  return text.length <= 200 && /^[^\s,"!#*?\\]+$/.test(text) && printable(text) === text;
}
