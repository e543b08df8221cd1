import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAllowedSigner } from '../../src/signing/create-allowed-signer.ts';
import { createKeyFile } from '../../src/signing/create-key-file.ts';
import { findPublicKey } from '../../src/signing/find-public-key.ts';
import { publicKeyOf } from '../../src/signing/key-object.ts';
import { openSigner } from '../../src/signing/open-signer.ts';
import { fingerprint, keyId, type PublicKey } from '../../src/signing/public-key.ts';
import { publicKeyText } from '../../src/signing/public-key-text.ts';
import { readTrust } from '../../src/signing/read-trust.ts';
import { rotateKey } from '../../src/signing/rotate-key.ts';
import { signingPaths } from '../../src/signing/signing-paths.ts';
import { trustKey } from '../../src/signing/trust-key.ts';
import { untrustKeys } from '../../src/signing/untrust-keys.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function newKey(): PublicKey {
  return publicKeyOf(generateKeyPairSync('ed25519').publicKey);
}

function pathsIn(directory: string) {
  return signingPaths({ HOME: directory, XDG_CONFIG_HOME: directory }, 1000, {
    allowedSigners: join(directory, 'allowed_signers'),
  });
}

describe('trusting a key', () => {
  test('adds a line and leaves all others as they are', async () => {
    const paths = pathsIn(temporaryDirectory());
    const [old, key] = [newKey(), newKey()];
    const before = `# builders\n\n  old   ${publicKeyText(old)}  of long ago\nnonsense\n# end`;
    writeFileSync(paths.allowedSigners, before, { mode: 0o600 });
    expect(await trustKey(paths, createAllowedSigner(key, 'alice', ['buildit-package']))).toBe('added');
    const line = `alice namespaces="buildit-package" ${publicKeyText(key)}`;
    expect(readFileSync(paths.allowedSigners, 'utf8')).toBe(`${before}\n${line}\n`);
    expect(statSync(paths.allowedSigners).mode & 0o777).toBe(0o600);
  });

  test('a second time changes nothing, and with other terms changes its line where it stands', async () => {
    const paths = pathsIn(join(temporaryDirectory(), 'not', 'there', 'yet'));
    const [key, other] = [newKey(), newKey()];
    const signer = createAllowedSigner(key, 'alice', ['buildit-package']);
    await trustKey(paths, signer);
    await trustKey(paths, createAllowedSigner(other, 'bob', ['buildit-package']));
    expect(await trustKey(paths, signer)).toBe('unchanged');
    expect(await trustKey(paths, { ...signer, validBefore: new Date('2030-01-01T00:00:00Z') })).toBe('changed');
    expect((await readTrust(paths)).allowedSigners).toMatchObject([
      { principals: ['alice'], validBefore: new Date('2030-01-01T00:00:00Z'), line: 1 },
      { principals: ['bob'], line: 2 },
    ]);
  });

  test('twenty times at once loses none', async () => {
    const paths = pathsIn(temporaryDirectory());
    const names = Array.from({ length: 20 }, (_, index) => `builder${index}`);
    await Promise.all(names.map((name) => trustKey(paths, createAllowedSigner(newKey(), name, ['buildit-index']))));
    const { allowedSigners } = await readTrust(paths);
    expect(allowedSigners.map(({ principals }) => principals[0]).sort()).toEqual(names.sort());
  });

  test('that was revoked is refused', async () => {
    const paths = pathsIn(temporaryDirectory());
    const key = newKey();
    writeFileSync(paths.revokedKeys, `# stolen\n${fingerprint(key)}\n`);
    await expect(trustKey(paths, createAllowedSigner(key, 'alice', []))).rejects.toMatchObject({
      code: 'configuration-invalid',
      hint: 'if it is to count again, remove line 2 there',
    });
    expect(existsSync(paths.allowedSigners)).toBe(false);
  });

  test('through a symbolic link writes the file it names', async () => {
    const directory = temporaryDirectory();
    const paths = pathsIn(directory);
    writeFileSync(join(directory, 'dotfile'), '# mine\n');
    symlinkSync('dotfile', paths.allowedSigners);
    await trustKey(paths, createAllowedSigner(newKey(), 'alice', ['buildit-index']));
    expect(lstatSync(paths.allowedSigners).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(directory, 'dotfile'), 'utf8')).toMatch(/^# mine\nalice /);
  });
});

describe('taking trust back', () => {
  const [one, two] = [newKey(), newKey()];
  const text = `# those who build\nalice ${publicKeyText(one, 'laptop')}\n\n# and\nbob,alice ${publicKeyText(two)}\nbroken\n`;

  test('from a key removes its lines and keeps comments and all others', async () => {
    const paths = pathsIn(temporaryDirectory());
    writeFileSync(paths.allowedSigners, text);
    expect(await untrustKeys(paths, fingerprint(one), { revoke: false })).toEqual([
      { fingerprint: fingerprint(one), principals: ['alice'] },
    ]);
    expect(readFileSync(paths.allowedSigners, 'utf8')).toBe(
      `# those who build\n\n# and\nbob,alice ${publicKeyText(two)}\nbroken\n`,
    );
    expect(existsSync(paths.revokedKeys)).toBe(false);
  });

  test('from a principal leaves a key to the others who share it', async () => {
    const paths = pathsIn(temporaryDirectory());
    writeFileSync(paths.allowedSigners, text);
    await untrustKeys(paths, 'alice', { revoke: false });
    expect(readFileSync(paths.allowedSigners, 'utf8')).toBe(
      `# those who build\n\n# and\nbob ${publicKeyText(two)}\nbroken\n`,
    );
  });

  test('with revocation takes the keys from everyone, and names them in the revoked keys once', async () => {
    const paths = pathsIn(temporaryDirectory());
    writeFileSync(paths.allowedSigners, text);
    writeFileSync(paths.revokedKeys, `# gone\n${fingerprint(one)} early`);
    await untrustKeys(paths, 'alice', { revoke: true });
    expect(readFileSync(paths.allowedSigners, 'utf8')).toBe('# those who build\n\n# and\nbroken\n');
    expect(readFileSync(paths.revokedKeys, 'utf8')).toBe(
      `# gone\n${fingerprint(one)} early\n${publicKeyText(two, 'bob,alice')}\n`,
    );
    const { trust } = await readTrust(paths);
    expect([one, two].map((key) => trust.knows(keyId(key)))).toEqual([false, false]);
  });

  test('from a key that nobody named can only mean to revoke it', async () => {
    const paths = pathsIn(temporaryDirectory());
    await expect(untrustKeys(paths, fingerprint(one), { revoke: false })).rejects.toMatchObject({
      code: 'input-invalid',
      hint: 'buildit key list shows both',
    });
    await expect(untrustKeys(paths, 'carol', { revoke: true })).rejects.toMatchObject({ code: 'input-invalid' });
    await untrustKeys(paths, fingerprint(one), { revoke: true });
    expect((await readTrust(paths)).revokedKeys).toMatchObject([{ fingerprint: fingerprint(one) }]);
  });
});

describe('rotating the own key', () => {
  const namespaces = ['buildit-package', 'buildit-index'];
  const validBefore = new Date('2030-01-01T00:00:00Z');

  test('puts a new key in its place, and the old one counts until the end of the grace', async () => {
    const paths = pathsIn(temporaryDirectory());
    const old = (await createKeyFile(paths.signingKey, 'me@here'))!;
    writeFileSync(paths.allowedSigners, `# me\nme namespaces="buildit-*" ${publicKeyText(old)}\n`);
    const rotated = await rotateKey(paths, { namespaces, validBefore });
    const signer = await openSigner(paths.signingKey, { environment: {} });
    expect(signer.publicKey).toEqual(rotated.newKey);
    expect(rotated.oldKey).toEqual(old);
    expect(await findPublicKey(rotated.oldPlace, { environment: {} })).toMatchObject({ publicKey: old });
    expect(readFileSync(paths.allowedSigners, 'utf8')).toBe(
      [
        '# me',
        `me namespaces="buildit-*",valid-before="20300101000000Z" ${publicKeyText(old)}`,
        `me namespaces="buildit-*" ${publicKeyText(rotated.newKey)}`,
        '',
      ].join('\n'),
    );
    expect(rotated.lines.join('\n')).toBe(
      readFileSync(paths.allowedSigners, 'utf8').split('\n').slice(1, 3).join('\n'),
    );
  });

  test('of which no line speaks names it by its comment', async () => {
    const paths = pathsIn(temporaryDirectory());
    const old = await createKeyFile(paths.signingKey, 'me@here');
    await rotateKey(paths, { namespaces, validBefore });
    expect((await readTrust(paths)).allowedSigners).toMatchObject([
      { principals: ['me@here'], publicKey: old, validBefore },
      { principals: ['me@here'], namespaces, validBefore: undefined },
    ]);
  });

  test('never makes an end later, and goes on with what was cut off', async () => {
    const paths = pathsIn(temporaryDirectory());
    const old = (await createKeyFile(paths.signingKey, 'me'))!;
    const next = await createKeyFile(`${paths.signingKey}.new`, 'me');
    writeFileSync(paths.allowedSigners, `me valid-before="20270101000000Z" ${publicKeyText(old)}\n`);
    expect((await rotateKey(paths, { namespaces, validBefore })).newKey).toEqual(next);
    expect((await readTrust(paths)).allowedSigners).toMatchObject([
      { validBefore: new Date('2027-01-01T00:00:00Z') },
      { publicKey: next },
    ]);
  });

  test('that is not there is an error', async () => {
    await expect(rotateKey(pathsIn(temporaryDirectory()), { namespaces, validBefore })).rejects.toMatchObject({
      code: 'file-missing',
    });
  });
});

test('a file that may not be read is an error, not an empty one', async () => {
  const paths = pathsIn(temporaryDirectory());
  writeFileSync(join(paths.allowedSigners), '');
  chmodSync(paths.allowedSigners, 0);
  if (process.getuid?.() !== 0) await expect(readTrust(paths)).rejects.toMatchObject({ code: 'input-invalid' });
  await expect(readTrust({ ...paths, revokedKeys: '/dev' })).rejects.toMatchObject({ code: 'input-invalid' });
});
