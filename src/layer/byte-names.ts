import { isUtf8 } from 'node:buffer';

/**
 * A name as text. Bytes that are not UTF-8 become lone surrogates, U+DC80 to U+DCFF, one for each byte, which no UTF-8
 * decodes to (the `surrogateescape` of PEP 383): `nameBytes` gives the same bytes again.
 */
export function textOfName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOfCharacter(bytes, at);
    text += length === 0 ? String.fromCharCode(0xdc00 + bytes[at]!) : bytes.toString('utf8', at, at + length);
    at += Math.max(1, length);
  }
  return text;
}

/** 0 where no character of UTF-8 begins. */
function lengthOfCharacter(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  return length > 0 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

export function nameBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  return Buffer.concat(
    Array.from(text, (character) => {
      const code = character.charCodeAt(0);
      const isEscape = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
      return isEscape ? Buffer.from([code - 0xdc00]) : Buffer.from(character);
    }),
  );
}

/** A path as the file system takes it: text, or bytes where text cannot hold it. */
export function filePath(path: string): string | Buffer {
  return path.isWellFormed() ? path : nameBytes(path);
}

const MOST_SHOWN_BYTES = 200;

/** A name for messages: as it is where it is UTF-8, else ASCII with each other byte as `\xe9`. */
export function shownName(bytes: Buffer): string {
  const shown = bytes.subarray(0, MOST_SHOWN_BYTES);
  // A character that the cut divides does not make a name another encoding.
  if (isUtf8(bytes)) return shown.toString('utf8');
  return Array.from(shown, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}
