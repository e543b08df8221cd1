import type { Digest } from '../model/digest.ts';
import { isRepositoryName } from '../model/names.ts';
import {
  canonicalText,
  count,
  digest,
  FieldFault,
  nullOr,
  object,
  oneOf,
  readCanonical,
  text,
  time,
} from './strict-fields.ts';

export const POINTER_FORMAT = 1;

/** A part of the index: the digest and bytes of the file as it lies there, and how many entries it has. */
export interface PartReference {
  readonly digest: Digest;
  readonly size: number;
  readonly entries: number;
}

/** What a place holds at one moment: the document that is signed, replaced last. */
export interface Pointer {
  readonly format: typeof POINTER_FORMAT;
  /** Made once with the place, so that another place's pointer is never taken for this one's. */
  readonly id: Digest;
  readonly name: string;
  /** From 1 on, one more with each commit. */
  readonly generation: number;
  readonly time: string;
  readonly expires: string;
  /** Fills the line up so that neighbouring generations differ in size: see `pointerPadding`. */
  readonly padding: string;
  readonly base: PartReference | null;
  readonly tail: PartReference | null;
}

/** The file: the pointer in one line, then the armored signature over that line with its newline. */
export interface SignedPointer {
  readonly line: string;
  readonly signature: string;
}

export const MOST_POINTER_BYTES = 32 * 1024;

const part = object({ digest, size: count, entries: count });
const pointer = object({
  format: oneOf(POINTER_FORMAT),
  id: digest,
  name: text('a name', isRepositoryName),
  generation: count,
  time,
  expires: time,
  padding: text('dots', (value) => /^\.{0,63}$/.test(value)),
  base: nullOr(part),
  tail: nullOr(part),
});

/**
 * Web servers make an entity tag of a file's time in seconds and its size: two pointers of one size that were written in
 * one second would be taken for the same.
 */
export function pointerPadding(generation: number): string {
  return '.'.repeat(generation % 61);
}

export function pointerLine(value: Pointer): string {
  return canonicalText(value);
}

export function parsePointer(line: string): Pointer {
  return readCanonical(line, pointer);
}

export function signedPointerText({ line, signature }: SignedPointer): string {
  return line + signature;
}

/** Cuts the file after its first line. Throws `FieldFault` where there is none. */
export function splitPointer(bytes: Uint8Array): SignedPointer {
  const document = decodeUtf8(bytes);
  const end = document.indexOf('\n') + 1;
  if (end === 0) throw new FieldFault('expected a line and a signature');
  return { line: document.slice(0, end), signature: document.slice(end) };
}

/** Throws `FieldFault` where the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FieldFault('expected UTF-8');
  }
}
