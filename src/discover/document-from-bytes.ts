import type { DocumentText } from '../document/yaml-node.ts';
import { BuilditError } from '../model/errors.ts';

/**
 * Bytes from the web as a document.
 *
 * @throws BuilditError `input-invalid` for anything but UTF-8 text without control characters.
 */
export function documentFromBytes(bytes: Buffer, name: string): DocumentText {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BuilditError('input-invalid', `Cannot read "${name}": expected UTF-8 text, found other bytes`, { cause });
  }
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text)) {
    throw new BuilditError('input-invalid', `Cannot read "${name}": expected text, found control characters`);
  }
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  return { name, path: name, text, lineStarts };
}
