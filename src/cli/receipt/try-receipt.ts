import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { looksUnchanged, settledSighting } from '../../system/witness.ts';
import { mayUseReceipt, type Receipt, receiptPath, thisInvocation } from './receipt.ts';
import { MOST_RECEIPT_BYTES, parseReceipt, receiptText } from './receipt-text.ts';

/**
 * Answers an invocation from its receipt: true when everything still looks as it did and the transcript was printed.
 * Imports nothing but Node's own modules, directly or not, because its whole point is to start fast.
 */
export function tryReceipt(installation: string, argv: readonly string[]): boolean {
  if (!mayUseReceipt(argv)) return false;
  const path = receiptPath(installation, thisInvocation(argv));
  const receipt = path === undefined ? undefined : readReceipt(path);
  if (path === undefined || receipt === undefined || isExpired(receipt)) return false;
  if (!receipt.sightings.every(looksUnchanged) || !receipt.images.every(isThere)) return false;
  // Where it cannot be written, a whole run says so.
  if (!print(1, receipt.stdout)) return false;
  print(2, receipt.stderr);
  settleReceipt(path, receipt);
  return true;
}

function isExpired({ expiresMs }: Receipt): boolean {
  return expiresMs !== undefined && Date.now() >= expiresMs;
}

/** An index is a few kilobytes: reading it costs less than printing a digest that is not there. */
function isThere({ index, digest }: Receipt['images'][number]): boolean {
  try {
    return readFileSync(index, 'utf8').includes(`"${digest}"`);
  } catch {
    return false;
  }
}

/**
 * Only a whole file that this user alone can write counts. Whatever is wrong with it, there is then no receipt; one that
 * is not whole is removed.
 */
function readReceipt(path: string): Receipt | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    const isOdd = !stat.isFile() || stat.size > MOST_RECEIPT_BYTES;
    if (!isOdd && (stat.uid !== process.getuid?.() || (stat.mode & 0o022) !== 0)) return undefined;
    const receipt = isOdd ? undefined : parseReceipt(path, readFileSync(file, 'utf8'));
    if (receipt === undefined) removeOdd(path);
    return receipt;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') removeOdd(path);
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function removeOdd(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Not this user's to remove: it stays no receipt.
  }
}

/** False for a full disk. A reader that went away is no failure; a pipe that is full for the moment is waited for. */
function print(descriptor: number, text: string): boolean {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') return code === 'EPIPE' || code === 'EIO';
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return true;
}

/** Files that were hashed because they had changed just before need it no longer once their times can tell. */
function settleReceipt(path: string, receipt: Receipt): void {
  const sightings = receipt.sightings.map(settledSighting);
  if (sightings.every((sighting, index) => sighting === receipt.sightings[index])) return;
  try {
    const fresh = `${path}.${process.pid}.json`;
    writeFileSync(fresh, receiptText(path, { ...receipt, sightings }), { mode: 0o600, flag: 'wx' });
    renameSync(fresh, path);
  } catch {
    // The receipt stays as it is and costs a little more.
  }
}
