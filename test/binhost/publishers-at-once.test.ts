import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readIdentity } from '../../src/binhost/binhost-identity.ts';
import { readNewestIndex } from '../../src/binhost/commit-entries.ts';
import type { PublishedRecord } from '../../src/binhost/published-record.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { createSigner } from '../../src/signing/create-signer.ts';
import { signerLine } from '../../src/signing/signer-line.ts';
import {
  allowed,
  containerOf,
  filesOf,
  freshStore,
  publishable,
  publishingAs,
  readWhole,
  trustIn,
} from '../support/binhost.ts';
import { programCommand, startProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type PublisherJob, runPublisher } from './publisher.ts';

const PUBLISHERS = 20;
/** Processes of their own; of these every second one is killed. */
const PROCESSES = 4;
const isLong = process.env.BUILDIT_LONG_TESTS === '1';
/** What is killed publishes several, so that it has begun and not ended. */
const packagesOf = (index: number) => (index < PROCESSES || isLong ? 3 : 1);

test('twenty publishers at once, some of them killed, lose no entry and leave nothing that keeps others away', async () => {
  const [place, work] = [temporaryDirectory(), temporaryDirectory()];
  const people = Array.from({ length: PUBLISHERS }, (_, index) => {
    const key = generateKeyPairSync('ed25519').privateKey;
    return { name: `builder${index}`, signer: createSigner(key), key };
  });
  const allowedSigners = join(work, 'allowed_signers');
  writeFileSync(allowedSigners, people.map((person) => `${signerLine(allowed(person))}\n`).join(''));
  const jobs = await Promise.all(
    people.map(async ({ key }, index): Promise<PublisherJob> => {
      const store = await freshStore();
      const packages: { record: PublishedRecord; container: Awaited<ReturnType<typeof containerOf>> }[] = [];
      for (let each = 0; each < packagesOf(index); each += 1) {
        const record = await publishable(store, `app/of${index}-${each}`);
        packages.push({ record, container: await containerOf(store, record, { name: `box${index}-${each}` }) });
      }
      const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
      return { place, store: store.directory, key: pem, allowedSigners, packages };
    }),
  );

  const finished: string[] = [];
  const inProcess = async (job: PublisherJob) => runPublisher(job, (name) => finished.push(name));
  const outside = async (job: PublisherJob, index: number) => {
    const file = join(work, `job${index}.json`);
    writeFileSync(file, JSON.stringify(job));
    const program = startProgram(programCommand(new URL('publisher.ts', import.meta.url), file));
    if (index % 2 === 0) {
      const { exitCode, stdout, stderr } = await program.ended();
      expect(exitCode, stderr).toBe(0);
      finished.push(...stdout.split('\n').filter(Boolean));
      return;
    }
    finished.push(await program.nextLine());
    await sleep(20 * index);
    await program.kill();
    const { stdout } = await program.ended();
    finished.push(...stdout.split('\n').filter(Boolean));
  };
  await Promise.all(jobs.map((job, index) => (index < PROCESSES ? outside(job, index) : inProcess(job))));
  expect(new Set(finished).size).toBeGreaterThanOrEqual(PUBLISHERS);

  const trust = trustIn(people);
  const options = {
    ...publishingAs(people[0]!.signer, { trust }),
    identity: (await readIdentity(openFilePlace(place)))!,
  };
  const { content, generation } = await readNewestIndex(openFilePlace(place), options);
  expect(content.packages.map(({ name }) => name)).toEqual(expect.arrayContaining([...new Set(finished)]));
  const generations = filesOf(place).filter((path) => path.startsWith('index/gen/'));
  expect(generations).toHaveLength(generation);

  // Whoever comes next finds nothing in the way, finishes what the killed ones began, and mends what they left.
  for (const job of jobs.slice(0, PROCESSES)) await runPublisher(job, () => {});
  const all = jobs.flatMap(({ packages }) =>
    packages.flatMap(({ record, container }) => [record.name, container.document.name]),
  );
  expect(await readWhole(openFilePlace(place), trust)).toEqual(all.toSorted());
  const { manifests } = JSON.parse(readFileSync(join(place, 'index.json'), 'utf8'));
  const titles = manifests.map(
    ({ annotations }: { annotations: Record<string, string> }) => annotations['org.opencontainers.image.ref.name'],
  );
  const boxes = jobs.flatMap(({ packages }) => packages.map(({ container }) => container.document.name));
  expect(titles).toEqual(expect.arrayContaining(boxes.map((name) => `Sysadmin42/${name}:1.0`)));
  expect(readdirSync(place).filter((name) => /lock|lease/.test(name))).toEqual([]);
}, 600_000);
