import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { isNumber, isText, listOf, objectOf, oneOf, optional, type Shape } from '../../model/json-shape.ts';
import { RECEIPT_FORMAT, type Receipt } from './receipt.ts';

/** Above every receipt: a few hundred bytes for each file that a run looks at. */
export const MOST_RECEIPT_BYTES = 32 * 1024 * 1024;

const isReceipt: Shape<Receipt> = objectOf({
  format: oneOf(RECEIPT_FORMAT),
  stdout: isText,
  stderr: isText,
  sightings: listOf(objectOf({ path: isText, seen: isText, sha256: optional(isText) })),
  images: listOf(objectOf({ index: isText, digest: isText })),
  expiresMs: optional(isNumber),
}) as Shape<Receipt>;

/** A receipt as it lies at `path`: a digest of its name and its text in the first line, then the text. */
export function receiptText(path: string, receipt: Receipt): string {
  const text = JSON.stringify(receipt);
  return `${digestOf(path, text)}\n${text}\n`;
}

/** Undefined for anything but a whole receipt that belongs at this path. */
export function parseReceipt(path: string, content: string): Receipt | undefined {
  const text = content.slice(65, -1);
  if (content !== `${digestOf(path, text)}\n${text}\n`) return undefined;
  try {
    const receipt: unknown = JSON.parse(text);
    return isReceipt(receipt) ? receipt : undefined;
  } catch {
    return undefined;
  }
}

function digestOf(path: string, text: string): string {
  return createHash('sha256')
    .update(`${basename(path)}\0${text}`)
    .digest('hex');
}
