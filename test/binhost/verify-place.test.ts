import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { verifyPlace } from '../../src/binhost/verify-place.ts';
import { openFilePlace } from '../../src/remote/open-file-place.ts';
import { filesOf, newSigner, policyOf, publishingAs, publishTo, trustIn } from '../support/binhost.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

async function publishedPlace() {
  const [directory, alice] = [temporaryDirectory(), newSigner()];
  const records = await publishTo(directory, ['app/one', 'app/two'], publishingAs(alice));
  const policy = policyOf(trustIn([{ name: 'alice', signer: alice }]));
  const verify = ({ deep = false, now = new Date() } = {}) =>
    verifyPlace(openFilePlace(directory), { policy: { ...policy, now }, deep });
  const found = async (options?: Parameters<typeof verify>[0]) =>
    (await verify(options)).findings.map(({ kind, path }) => `${kind} ${path}`);
  return { directory, alice, records, verify, found, at: (path: string) => join(directory, path) };
}

const matching = (files: readonly string[], pattern: RegExp) => files.find((path) => pattern.test(path))!;

describe('verifying a place', () => {
  test('finds nothing wrong with what was published, and tells what there is', async () => {
    const { verify } = await publishedPlace();
    const report = await verify({ deep: true });
    expect(report).toMatchObject({ name: 'place', generation: 1, packages: 2, containers: 0, isSound: true });
    expect(report.findings).toEqual([]);
    expect(report.blobs.count).toBeGreaterThan(5);
  });

  test('names a blob that is missing, cut or, when it reads them all, changed', async () => {
    const { at, records, found } = await publishedPlace();
    const [one, two] = records.map(({ outputs }) => `blobs/sha256/${outputs.main!.blobs[0]!.digest}`) as [
      string,
      string,
    ];
    const bytes = readFileSync(at(one));
    bytes[10]! ^= 1;
    writeFileSync(at(one), bytes);
    expect(await found()).toEqual([]);
    expect(await found({ deep: true })).toEqual([`damaged ${one}`]);
    truncateSync(at(one), 5);
    expect(await found()).toEqual([`damaged ${one}`]);
    rmSync(at(two));
    expect(await found()).toEqual([`damaged ${one}`, `missing ${two}`]);
  });

  test('names records and signatures that are changed or missing', async () => {
    const { directory, at, found, verify } = await publishedPlace();
    const record = matching(filesOf(directory), /^packages\/.*\.json$/);
    const text = readFileSync(at(record), 'utf8');
    writeFileSync(at(record), text.replace('"version":"1.0"', '"version":"1.1"'));
    expect(await found()).toEqual([`damaged ${record}`, `damaged ${record}`]);
    writeFileSync(at(record), `${text} `);
    expect(await found()).toContain(`damaged ${record}`);
    writeFileSync(at(record), text);
    rmSync(at(`${record}.sig`));
    expect(await found()).toEqual([`missing ${record}.sig`]);
    rmSync(at(record));
    expect(await found()).toContain(`missing ${record}`);
    expect((await verify()).isSound).toBe(false);
  });

  test.each([
    ['index/current.json', 'damaged'],
    ['index/gen/1.json', 'damaged'],
    ['buildit-binhost.json', 'damaged'],
  ])('names a change of %s', async (path, kind) => {
    const { at, found } = await publishedPlace();
    const text = readFileSync(at(path), 'utf8');
    writeFileSync(at(path), text.replace('"name":"place"', '"name":"plaCe"'));
    expect(await found()).toContain(`${kind} ${path}`);
  });

  test('names a part of the index that is missing or changed', async () => {
    const { directory, at, found } = await publishedPlace();
    const part = matching(filesOf(directory), /\.json\.zst$/);
    const bytes = readFileSync(at(part));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(at(part), bytes);
    expect(await found()).toContain(`damaged ${part}`);
    rmSync(at(part));
    expect(await found()).toContain(`missing ${part}`);
  });

  test('names what nobody trusted signed, and an index that expired', async () => {
    const { directory, alice, verify } = await publishedPlace();
    const stranger = { policy: policyOf(trustIn([{ name: 'bob', signer: newSigner() }])), deep: false };
    const report = await verifyPlace(openFilePlace(directory), stranger);
    expect(new Set(report.findings.map(({ kind }) => kind))).toEqual(new Set(['untrusted']));
    expect(report.isSound).toBe(false);
    expect(alice).toBeDefined();
    const later = await verify({ now: new Date(Date.now() + 91 * 86_400_000) });
    expect(later).toMatchObject({ isSound: true, findings: [{ kind: 'expired', path: 'index/current.json' }] });
  });

  test('tells what nothing names without calling it wrong', async () => {
    const { at, verify } = await publishedPlace();
    writeFileSync(at(`blobs/sha256/${'ab'.repeat(32)}`), 'left behind');
    writeFileSync(at('blobs/sha256/note\u001b.txt'), 'by hand');
    const report = await verify();
    expect(report.isSound).toBe(true);
    expect(report.findings.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      `unreferenced blobs/sha256/${'ab'.repeat(32)}`,
      'unreferenced blobs/sha256/note\\u001b.txt',
    ]);
  });

  test('says that an empty directory is no binhost', async () => {
    const place = openFilePlace(temporaryDirectory());
    const report = await verifyPlace(place, { policy: policyOf(trustIn([])), deep: true });
    expect(report).toMatchObject({ isSound: false, generation: 0 });
    expect(report.findings).toMatchObject([{ kind: 'missing', path: 'buildit-binhost.json' }]);
  });
});
