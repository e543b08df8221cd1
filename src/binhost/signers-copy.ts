import type { RemoteWriter } from '../remote/remote-place.ts';
import type { PublicKey } from '../signing/public-key.ts';
import { signerLine } from '../signing/signer-line.ts';
import { SIGNERS_PATH } from './binhost-paths.ts';

const MOST_BYTES = 2 ** 20;
const MOST_TRIES = 10;

/**
 * Adds a key to the place's copy of its publishers' keys, unless it is there. Publishers that create the file at once all get
 * in; of those that add to it at once one may get lost, and its next publication adds it again.
 */
export async function addSignerLine(writer: RemoteWriter, publicKey: PublicKey, principal: string): Promise<void> {
  const namespaces = ['buildit-package', 'buildit-index'];
  const validity = { validAfter: undefined, validBefore: undefined };
  const line = signerLine({ principals: [principal], publicKey, namespaces, comment: '', ...validity });
  const key = publicKey.blob.toString('base64');
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const there = await writer.read(SIGNERS_PATH, { maximumBytes: MOST_BYTES });
    if (typeof there === 'string') {
      if (await writer.create(SIGNERS_PATH, Buffer.from(`${line}\n`))) return;
      continue;
    }
    const lines = there.bytes.toString('utf8').split('\n').filter(Boolean);
    if (lines.some((known) => known.split(' ').includes(key))) return;
    await writer.replace(SIGNERS_PATH, Buffer.from(`${[...lines, line].join('\n')}\n`));
  }
}
