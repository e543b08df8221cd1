import { WireFault } from './wire-reader.ts';

/** `-----BEGIN LABEL-----`, base64 in lines of 70 characters and `-----END LABEL-----`, as OpenSSH writes them. */
export function armor(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,70}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.map((line) => `${line}\n`).join('')}-----END ${label}-----\n`;
}

/** Takes only the one text that `armor` writes for these bytes: of each armored value there is one form. */
export function unarmor(label: string, text: string, maximumCharacters: number): Buffer {
  if (text.length > maximumCharacters)
    throw new WireFault(`expected at most ${maximumCharacters} characters, found ${text.length}`);
  const head = `-----BEGIN ${label}-----\n`;
  if (!text.startsWith(head)) throw new WireFault(`expected "${head.trim()}" as the first line`);
  const bytes = Buffer.from(text.slice(head.length, text.lastIndexOf('\n-----END')), 'base64');
  if (armor(label, bytes) !== text)
    throw new WireFault('expected the lines that ssh-keygen writes, found other characters among them');
  return bytes;
}
