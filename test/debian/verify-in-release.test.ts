import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKeys } from 'openpgp';
import { describe, expect, test } from 'vitest';
import { loadArchiveKeys, readKeyring, SHIPPED_KEYRING } from '../../src/debian/archive-keys.ts';
import { verifyInRelease } from '../../src/debian/verify-in-release.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { createSigningKey, ownKey, releaseText, signed } from './own-archive.ts';

const text = releaseText({ 'main/binary-amd64/Packages': Buffer.from('x') });
const verify = async (bytes: Uint8Array) => verifyInRelease(bytes, [(await ownKey).publicKey], 'InRelease');

async function refusal(bytes: Uint8Array): Promise<string> {
  const error = await verify(bytes).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toMatchObject({ code: 'signature-invalid' });
  return error.message;
}

describe('verifyInRelease', () => {
  test('returns the text that was signed', async () => {
    expect(await verify(await signed(text))).toBe(text);
  });

  test('accepts one good signature beside those of unknown keys', async () => {
    const other = await createSigningKey();
    const { createCleartextMessage, sign } = await import('openpgp');
    const message = await createCleartextMessage({ text });
    const both = await sign({ message, signingKeys: [other.privateKey, (await ownKey).privateKey] });
    expect(await verify(Buffer.from(both))).toBe(text);
  });

  test('refuses an unknown key', async () => {
    expect(await refusal(await signed(text, await createSigningKey()))).toContain('not a key of the keyring');
  });

  test('refuses text that was changed after signing', async () => {
    const changed = (await signed(text)).toString().replace('Suite: stable', 'Suite: evil');
    expect(await refusal(Buffer.from(changed))).toContain('expected a valid signature');
  });

  test('names the clock, with both dates, for a signature that is yet to come', async () => {
    const { createCleartextMessage, sign } = await import('openpgp');
    const date = new Date('2090-01-01');
    const message = await createCleartextMessage({ text });
    const later = Buffer.from(await sign({ message, signingKeys: (await ownKey).privateKey, date }));
    await expect(verify(later)).rejects.toMatchObject({
      message: expect.stringContaining('signed at 2090-01-01T00:00:00Z, which is yet to come'),
      hint: expect.stringContaining(`the clock of this machine says ${new Date().toISOString().slice(0, 10)}`),
    });
    expect(await refusal(Buffer.from(''))).toContain('an empty file');
  });

  test('refuses a file without a signature', async () => {
    await refusal(Buffer.from(text));
    const unsigned = (await signed(text)).toString().replace(/-----BEGIN PGP SIGNATURE-----[\s\S]*/, '');
    await refusal(Buffer.from(unsigned));
  });

  test.each([
    ['before it', (block: string) => `Suite: evil\n${block}`],
    ['after it', (block: string) => `${block}Suite: evil\n`],
    ['an empty line before it', (block: string) => `\n${block}`],
  ])('refuses text outside the signed block: %s', async (_, change) => {
    await refusal(Buffer.from(change((await signed(text)).toString())));
  });

  test('refuses two signed blocks', async () => {
    const block = await signed(text);
    expect(await refusal(Buffer.concat([block, block]))).toContain('several');
  });

  test('refuses a signature with a megabyte of headers before OpenPGP reads them', async () => {
    const block = (await signed(text)).toString();
    const long = block.replace('SIGNATURE-----\n', `SIGNATURE-----\n${'A: b\n'.repeat(200_000)}`);
    expect(await refusal(Buffer.from(long))).toContain('signatures of at most 65536 characters');
  });

  test('refuses bytes that are not text', async () => {
    await refusal(Buffer.concat([await signed(text), Buffer.from([0])]));
    await refusal(Buffer.from([0xff, 0xfe, 0x00]));
    await refusal(Buffer.alloc(0));
  });

  test('refuses a signature packet that is cut off', async () => {
    const block = (await signed(text)).toString();
    const cut = block.replace(/(-----BEGIN PGP SIGNATURE-----\n\n.{20})[\s\S]*?(\n-----END)/, '$1$2');
    expect(cut).not.toBe(block);
    await refusal(Buffer.from(cut));
  });
});

describe('the keys that ship with buildit', () => {
  const fingerprints = [
    '4D64FEC119C2029067D6E791F8D2585B8783D481',
    'B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8',
    '05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0',
    '41587F7DB8C774BCCF131416762F67A0B2C39DE4',
    '04B54C3CDCA79751B16BC6B5225629DF75B188BD',
    '5E04A1E3223A19A20706E20F9904613D4CCE68C6',
  ];

  test('are the archive keys of bookworm and trixie, and no others', async () => {
    const keys = await readKeyring(SHIPPED_KEYRING);
    expect(keys.map((key) => key.getFingerprint().toUpperCase()).sort()).toEqual([...fingerprints].sort());
    expect(keys.some((key) => key.isPrivate())).toBe(false);
    const all = await loadArchiveKeys();
    expect(all.length).toBeGreaterThanOrEqual(keys.length);
  });

  test('are named in the text beside them', async () => {
    const { readFileSync } = await import('node:fs');
    const readme = readFileSync(new URL('../../keys/README.md', import.meta.url), 'utf8');
    expect(fingerprints.filter((fingerprint) => !readme.includes(fingerprint))).toEqual([]);
  });

  requires('gpg').test('are the ones gpg reads out of the file', () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, 'gpg.conf'), '');
    const { stdout } = spawnSync('gpg', ['--homedir', home, '--show-keys', '--with-colons', SHIPPED_KEYRING], {
      encoding: 'utf8',
    });
    for (const fingerprint of fingerprints) expect(stdout).toContain(`:${fingerprint}:`);
  });

  test('a keyring that is not one is refused', async () => {
    const path = join(temporaryDirectory(), 'keyring');
    writeFileSync(path, 'no keys');
    await expect(readKeyring(path)).rejects.toMatchObject({ code: 'file-missing' });
    await expect(readKeys({ binaryKeys: Buffer.from('no keys') })).rejects.toThrow();
  });
});
