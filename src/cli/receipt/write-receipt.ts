import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withoutSecrets } from '../../model/without-secrets.ts';
import { writeFileDurably } from '../../system/files.ts';
import { createWitness, looksUnchanged } from '../../system/witness.ts';
import { installedFiles } from './installed-files.ts';
import { type Invocation, mayUseReceipt, RECEIPT_FORMAT, type Receipt, receiptPath } from './receipt.ts';
import { receiptText } from './receipt-text.ts';

type ReceiptContent = Omit<Receipt, 'format' | 'images'> & Partial<Pick<Receipt, 'images'>>;

/**
 * Keeps what a second run of the same invocation would print. Nothing is kept when something changed while the run went
 * on, and a receipt that cannot be kept is no failure: the next run only takes longer.
 */
export async function writeReceipt(
  installation: string,
  invocation: Invocation,
  { stdout, stderr, sightings, images = [], expiresMs }: ReceiptContent,
): Promise<void> {
  const path = receiptPath(installation, invocation);
  if (path === undefined || !mayUseReceipt(invocation.argv)) return;
  const own = createWitness();
  for (const { path: file, isDirectory } of installedFiles(installation)) {
    if (isDirectory) own.listed(file);
    else own.read(file);
  }
  const all = [...sightings, ...own.sightings()];
  if (!all.every(looksUnchanged)) return;
  const receipt: Receipt = {
    format: RECEIPT_FORMAT,
    stdout: withoutSecrets(stdout),
    stderr: withoutSecrets(stderr),
    sightings: all,
    images,
    expiresMs,
  };
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFileDurably(path, receiptText(path, receipt), { mode: 0o600 });
    await removeOldReceipts(dirname(path));
  } catch {
    // A store that cannot be written keeps no receipts.
  }
}

const MOST_RECEIPTS = 200;

async function removeOldReceipts(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json'));
  if (names.length <= MOST_RECEIPTS) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ path: join(directory, name), mtimeMs: (await stat(join(directory, name))).mtimeMs })),
  );
  aged.sort((a, b) => b.mtimeMs - a.mtimeMs);
  await Promise.all(aged.slice(MOST_RECEIPTS).map(({ path }) => rm(path, { force: true })));
}
