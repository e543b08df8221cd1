// The only builder there is: who signs, and whom everybody trusts.
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { openBinhost } from '../../../dist/binhost/open-binhost.js';
import { createPackageCache } from '../../../dist/cache/package-cache.js';
import { openReader } from '../../../dist/remote/open-place.js';
import { createAllowedSigner } from '../../../dist/signing/create-allowed-signer.js';
import { createSigner } from '../../../dist/signing/create-signer.js';
import { createTrust } from '../../../dist/signing/create-trust.js';

export function openBuilder(keyPath) {
  const signer = createSigner(createPrivateKey(readFileSync(keyPath)));
  const allowedSigners = [createAllowedSigner(signer.publicKey, 'bench', ['buildit-package', 'buildit-index'])];
  return { signer, trust: createTrust({ allowedSigners, revokedKeys: [] }) };
}

/** The cache of a run that has one binhost, read by https. */
export async function openCache(store, { key, ca, path }) {
  const { signer, trust } = openBuilder(key);
  const { signal } = new AbortController();
  const onWarning = (text) => {
    throw new Error(text);
  };
  const reader = await openReader(
    { type: 'https', path, ca: readFileSync(ca, 'utf8') },
    { environment: {}, home: '/' },
  );
  const policy = { trust, verify: 'require', now: new Date() };
  let opened;
  const open = () => {
    opened ??= openBinhost(store, { name: 'bench', reader, policy, requireFresh: true, signal, onWarning });
    return opened;
  };
  return createPackageCache({
    store,
    seal: { signer: async () => signer, machine: async () => trust, trust },
    places: [{ name: 'bench', builders: 1, open }],
    signal,
    onWarning,
    onFetch: () => ({ progress() {}, finished() {} }),
  });
}
