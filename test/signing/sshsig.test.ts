import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { armor } from '../../src/signing/armor.ts';
import { createAllowedSigner } from '../../src/signing/create-allowed-signer.ts';
import { createSigner } from '../../src/signing/create-signer.ts';
import { createTrust } from '../../src/signing/create-trust.ts';
import { openSigner } from '../../src/signing/open-signer.ts';
import type { PublicKey } from '../../src/signing/public-key.ts';
import { publicKeyText } from '../../src/signing/public-key-text.ts';
import { bytesToSign, encodeSshsig, parseSshsig, type Sshsig } from '../../src/signing/sshsig.ts';
import { WireFault, WireReader } from '../../src/signing/wire-reader.ts';
import { wireString, wireUint32 } from '../../src/signing/wire-writer.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { generateKey, signWithSshKeygen, sshKeygenBelieves } from './ssh-tools.ts';

const message = Buffer.from('{"hash":"00"}');
const now = new Date('2026-01-01T00:00:00Z');
const KINDS = ['-t ed25519', '-t ecdsa -b 256', '-t ecdsa -b 384', '-t ecdsa -b 521', '-t rsa -b 2048'];

/** Judges as one who trusts this key for packages. */
function judge(publicKey: PublicKey, armored: string, bytes: Uint8Array = message) {
  const allowedSigners = [createAllowedSigner(publicKey, 'builder', ['buildit-package'])];
  return createTrust({ allowedSigners, revokedKeys: [] }).judge(bytes, armored, {
    namespace: 'buildit-package',
    at: now,
  });
}

function ed25519Signer() {
  return createSigner(generateKeyPairSync('ed25519').privateKey);
}

for (const kind of KINDS) {
  requires('ssh-keygen').test(`ssh-keygen believes a signature of ours with a key of ${kind}`, async () => {
    const directory = temporaryDirectory();
    const key = generateKey(directory, 'key', kind);
    const signer = await openSigner(key.path, { environment: {} });
    const question = {
      directory,
      allowedSigners: `builder namespaces="buildit-*" ${key.publicText}\n`,
      principal: 'builder',
      message,
      armored: await signer.sign('buildit-package', message),
    };
    expect(sshKeygenBelieves({ ...question, namespace: 'buildit-package' })).toBe(true);
    expect(sshKeygenBelieves({ ...question, namespace: 'buildit-index' })).toBe(false);
    expect(judge(key.publicKey, question.armored)).toMatchObject({ kind: 'trusted', principal: 'builder' });
  });

  requires('ssh-keygen').test(`a signature of ssh-keygen with a key of ${kind} is believed, of either hash`, () => {
    const key = generateKey(temporaryDirectory(), 'key', kind);
    for (const hash of ['sha512', 'sha256']) {
      const armored = signWithSshKeygen(key, 'buildit-package', message, hash);
      expect(judge(key.publicKey, armored)).toMatchObject({ kind: 'trusted' });
      expect(encodeSshsig(parseSshsig(armored))).toBe(armored);
    }
  });
}

requires('ssh-keygen').test('no change of one byte leaves a signature that counts, whatever the key', () => {
  const directory = temporaryDirectory();
  for (const [index, kind] of ['-t ed25519', '-t ecdsa -b 256', '-t rsa -b 2048'].entries()) {
    const key = generateKey(directory, `key${index}`, kind);
    const armored = Buffer.from(signWithSshKeygen(key, 'buildit-package', message));
    expect(judge(key.publicKey, armored.toString()).kind).toBe('trusted');
    for (let position = 0; position < armored.length; position += 1) {
      for (const bit of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const changed = Buffer.from(armored);
        changed[position]! ^= bit;
        expect(judge(key.publicKey, changed.toString('utf8')).kind, `${kind}, ${position}, ${bit}`).not.toBe('trusted');
      }
    }
  }
});

test('every byte of an Ed25519 signature counts against all 255 others', async () => {
  const signer = ed25519Signer();
  const armored = Buffer.from(await signer.sign('buildit-package', message));
  for (let position = 0; position < armored.length; position += 1) {
    for (let other = 1; other < 256; other += 1) {
      const changed = Buffer.from(armored);
      changed[position]! ^= other;
      expect(judge(signer.publicKey, changed.toString('latin1')).kind).not.toBe('trusted');
    }
  }
});

test('no byte can be left out of a signature, doubled, or added around it', async () => {
  const signer = ed25519Signer();
  const armored = await signer.sign('buildit-package', message);
  for (let position = 0; position < armored.length; position += 1) {
    const [head, tail] = [armored.slice(0, position), armored.slice(position)];
    for (const changed of [head, head + tail.slice(1), head + tail[0] + tail, `${head}\n${tail}`, `${head}=${tail}`])
      expect(judge(signer.publicKey, changed).kind).toBe('invalid');
  }
  for (const changed of [`${armored}\n`, ` ${armored}`, armored + armored, armored.replaceAll('\n', '\r\n')])
    expect(judge(signer.publicKey, changed).kind).toBe('invalid');
});

test('no change of one bit of the message is believed', async () => {
  const signer = ed25519Signer();
  const armored = await signer.sign('buildit-package', message);
  for (let bit = 0; bit < message.length * 8; bit += 1) {
    const changed = Buffer.from(message);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(judge(signer.publicKey, armored, changed).kind).toBe('invalid');
  }
  expect(judge(signer.publicKey, armored, Buffer.concat([message, Buffer.of(0)])).kind).toBe('invalid');
  expect(judge(signer.publicKey, armored, message.subarray(1)).kind).toBe('invalid');
});

test('an RSA signature with SHA-1 is refused', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { publicKey } = createSigner(privateKey);
  const signed = sign('sha1', bytesToSign({ namespace: 'buildit-package', hash: 'sha512' }, message), privateKey);
  const signature = Buffer.concat([wireString('ssh-rsa'), wireString(signed)]);
  const armored = encodeSshsig({ publicKey, namespace: 'buildit-package', hash: 'sha512', signature });
  expect(judge(publicKey, armored)).toEqual({
    kind: 'invalid',
    reason:
      'not a signature that counts: expected a signature of algorithm rsa-sha2-512 or rsa-sha2-256, found "ssh-rsa"',
  });
});

test('a signature with an RSA key of 1024 bits is refused', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const signer = createSigner(privateKey);
  expect(judge(signer.publicKey, await signer.sign('buildit-package', message))).toMatchObject({
    kind: 'invalid',
    reason: expect.stringContaining('expected an RSA key of at least 2048 bits, found 1024'),
  });
});

requires('ssh-keygen').test(
  'a signature of a hardware key counts as it does for ssh-keygen, and only when a person touched it',
  () => {
    const pair = generateKeyPairSync('ed25519');
    const point = Buffer.from(pair.publicKey.export({ format: 'jwk' }).x!, 'base64url');
    const type = 'sk-ssh-ed25519@openssh.com';
    const publicKey = { type, blob: Buffer.concat([type, point, 'ssh:'].map(wireString)) };
    const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest();
    const signed = (flags: number) => {
      const flagsAndCounter = Buffer.of(flags, 0, 0, 0, 7);
      const bytes = bytesToSign({ namespace: 'buildit-package', hash: 'sha512' }, message);
      const value = sign(null, Buffer.concat([sha256('ssh:'), flagsAndCounter, sha256(bytes)]), pair.privateKey);
      const signature = Buffer.concat([wireString(type), wireString(value), flagsAndCounter]);
      return encodeSshsig({ publicKey, namespace: 'buildit-package', hash: 'sha512', signature });
    };
    const directory = temporaryDirectory();
    const allowedSigners = `builder ${publicKeyText(publicKey)}\n`;
    for (const [flags, kind] of [
      [1, 'trusted'],
      [0, 'invalid'],
    ] as const) {
      const armored = signed(flags);
      expect(judge(publicKey, armored).kind).toBe(kind);
      const question = {
        directory,
        allowedSigners,
        principal: 'builder',
        namespace: 'buildit-package',
        message,
        armored,
      };
      expect(sshKeygenBelieves(question)).toBe(true);
    }
  },
);

test('a reserved field that is not empty makes another text of it, which is refused', async () => {
  const signer = ed25519Signer();
  const parsed = parseSshsig(await signer.sign('buildit-package', message));
  const withReserved = (reserved: string) => {
    const fields = [parsed.publicKey.blob, 'buildit-package', reserved, 'sha512', parsed.signature].map(wireString);
    return armor('SSH SIGNATURE', Buffer.concat([Buffer.from('SSHSIG'), wireUint32(1), ...fields]));
  };
  expect(judge(signer.publicKey, withReserved('')).kind).toBe('trusted');
  expect(judge(signer.publicKey, withReserved('x')).kind).toBe('invalid');
});

test('a number of an ECDSA signature has one form: with a zero before it where it would be negative', async () => {
  const signer = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
  const withNumbers = (parsed: Sshsig, ...forms: readonly Buffer[]) => {
    const fields = ['ecdsa-sha2-nistp256', Buffer.concat(forms.map(wireString))];
    return encodeSshsig({ ...parsed, signature: Buffer.concat(fields.map(wireString)) });
  };
  const startsHigh = { yes: 0, no: 0 };
  while (startsHigh.yes === 0 || startsHigh.no === 0) {
    const parsed = parseSshsig(await signer.sign('buildit-package', message));
    const outer = new WireReader(parsed.signature);
    outer.string('the algorithm', 100);
    const inner = new WireReader(outer.string('the numbers', 100));
    const [r, s] = [inner.string('r', 40), inner.string('s', 40)];
    const otherForm = r[0] === 0 ? r.subarray(1) : Buffer.concat([Buffer.alloc(1), r]);
    startsHigh[r[0] === 0 ? 'yes' : 'no'] += 1;
    expect(judge(signer.publicKey, withNumbers(parsed, r, s)).kind).toBe('trusted');
    expect(judge(signer.publicKey, withNumbers(parsed, otherForm, s)).kind).toBe('invalid');
    expect(judge(signer.publicKey, withNumbers(parsed, r, s, s)).kind).toBe('invalid');
  }
});

test('the sum of an Ed25519 signature and the order of the group is not a second form of it', async () => {
  const signer = ed25519Signer();
  const parsed = parseSshsig(await signer.sign('buildit-package', message));
  const changed = Buffer.from(parsed.signature);
  const scalar = BigInt(`0x${Buffer.from(changed.subarray(-32)).reverse().toString('hex')}`);
  const sum = scalar + (1n << 252n) + 27742317777372353535851937790883648493n;
  Buffer.from(sum.toString(16).padStart(64, '0'), 'hex')
    .reverse()
    .copy(changed, changed.length - 32);
  expect(judge(signer.publicKey, encodeSshsig({ ...parsed, signature: changed })).kind).toBe('invalid');
});

test('arbitrary bytes in place of a signature are refused with a reason and nothing else', async () => {
  const signer = ed25519Signer();
  const whole = parseSshsig(await signer.sign('buildit-package', message));
  const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), (text) => {
      expect(judge(signer.publicKey, text)).toMatchObject({ kind: 'invalid', reason: expect.any(String) });
    }),
  );
  fc.assert(
    fc.property(bytes, bytes, fc.string(), fc.string(), (blob, signature, namespace, hash) => {
      for (const changed of [
        { ...whole, publicKey: { type: '', blob } },
        { ...whole, publicKey: { type: '', blob: Buffer.concat([wireString('ssh-ed25519'), blob]) } },
        {
          ...whole,
          publicKey: { type: '', blob: Buffer.concat([wireString('ssh-rsa'), wireString(blob), signature]) },
        },
        { ...whole, signature },
        { ...whole, signature: Buffer.concat([wireString('ssh-ed25519'), wireString(signature)]) },
        { ...whole, namespace },
        { ...whole, hash },
      ])
        expect(judge(signer.publicKey, encodeSshsig(changed)).kind).not.toBe('trusted');
    }),
  );
});

test('a text that is no signature is a fault of its own kind', () => {
  expect(() => parseSshsig('')).toThrow(WireFault);
  expect(() => parseSshsig('x'.repeat(100_000))).toThrow(/at most 16384 characters/);
});

test('a key of another kind than SSH signs with is refused', () => {
  const { privateKey } = generateKeyPairSync('ed448');
  expect(() => createSigner(createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })))).toThrow(WireFault);
});
