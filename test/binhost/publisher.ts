import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ContainerToPublish, publishContainer } from '../../src/binhost/publish-container.ts';
import { publishPackages } from '../../src/binhost/publish-packages.ts';
import type { PublishedRecord } from '../../src/binhost/published-record.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { createSigner } from '../../src/signing/create-signer.ts';
import { readTrust } from '../../src/signing/read-trust.ts';
import { openStore } from '../../src/store/store.ts';

export interface PublisherJob {
  readonly place: string;
  readonly store: string;
  /** PEM of the private key. */
  readonly key: string;
  readonly allowedSigners: string;
  readonly packages: readonly { readonly record: PublishedRecord; readonly container: ContainerToPublish }[];
}

/** Publishes packages and containers one after the other, and says so after each. */
export async function runPublisher(job: PublisherJob, onPublished: (name: string) => void): Promise<void> {
  const signer = createSigner(createPrivateKey(job.key));
  const { trust } = await readTrust({ allowedSigners: job.allowedSigners, revokedKeys: `${job.allowedSigners}.none` });
  const store = await openStore(job.store);
  const writer = openFilePlace(job.place);
  for (const { record, container } of job.packages) {
    const options = {
      name: 'place',
      signer,
      policy: { trust, verify: 'require', now: new Date() },
      now: new Date(),
    } as const;
    await publishPackages(store, writer, [{ kind: 'own', record }], options);
    await publishContainer(store, writer, container, options);
    onPublished(record.name);
  }
}

if (process.argv[2] !== undefined && process.argv[1]?.endsWith('publisher.ts') === true) {
  const job = JSON.parse(readFileSync(process.argv[2], 'utf8')) as PublisherJob;
  await runPublisher(job, (name) => process.stdout.write(`${name}\n`));
}
