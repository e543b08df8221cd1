import { execFileSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BuilditError } from '../../src/model/errors.ts';
import { findPublicKey } from '../../src/signing/find-public-key.ts';
import { openSigner } from '../../src/signing/open-signer.ts';
import { encodeEd25519PrivateKey } from '../../src/signing/openssh-private-key.ts';
import { fingerprint, type PublicKey } from '../../src/signing/public-key.ts';
import type { Signer } from '../../src/signing/signer.ts';
import { parseSshsig, verifySshsig } from '../../src/signing/sshsig.ts';
import { wireString, wireUint32 } from '../../src/signing/wire-writer.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startAgent, startFalseAgent } from './ssh-agent.ts';
import { generateKey } from './ssh-tools.ts';

const message = Buffer.from('message');
const withSsh = requires('ssh-keygen', 'ssh-agent', 'ssh-add');

async function signsAs(signer: Signer | undefined, publicKey: PublicKey): Promise<boolean> {
  const sshsig = parseSshsig(await signer!.sign('buildit-index', message));
  return verifySshsig(sshsig, message) && sshsig.publicKey.blob.equals(publicKey.blob);
}

function ed25519(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}

function writeKey(text: string, mode = 0o600): string {
  const path = join(temporaryDirectory(), 'key');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

describe('a key in a file', () => {
  withSsh.test('that ssh-keygen made signs, of every kind', async () => {
    const directory = temporaryDirectory();
    for (const [index, kind] of ['-t ed25519', '-t ecdsa', '-t rsa -b 3072', '-t rsa -b 2048 -m PEM'].entries()) {
      const key = generateKey(directory, `key${index}`, kind);
      expect(await signsAs(await openSigner(key.path, { environment: {} }), key.publicKey)).toBe(true);
    }
  });

  test('may be PKCS#8', async () => {
    for (const pair of [
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ]) {
      const path = writeKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
      const signer = await openSigner(path, { environment: {} });
      expect(await signsAs(signer, signer.publicKey)).toBe(true);
    }
  });

  test('is looked for in the home directory, and the key of buildit itself goes before that of ssh', async () => {
    const HOME = temporaryDirectory();
    expect(await openSigner(undefined, { environment: { HOME } })).toBeUndefined();
    mkdirSync(join(HOME, '.ssh'));
    mkdirSync(join(HOME, '.config', 'buildit'), { recursive: true });
    writeFileSync(join(HOME, '.ssh', 'id_ed25519'), encodeEd25519PrivateKey(ed25519(), ''), { mode: 0o600 });
    const ofSsh = await openSigner(undefined, { environment: { HOME } });
    expect(ofSsh).toMatchObject({
      publicKey: (await openSigner('~/.ssh/id_ed25519', { environment: { HOME } })).publicKey,
    });
    const own = join(HOME, '.config', 'buildit', 'signing-key');
    writeFileSync(own, encodeEd25519PrivateKey(ed25519(), ''), { mode: 0o600 });
    expect((await openSigner(undefined, { environment: { HOME } }))?.publicKey).toEqual(
      (await openSigner(own, { environment: {} })).publicKey,
    );
  });

  test.each([0o640, 0o604, 0o644, 0o660])('of mode %o is refused: others may read it', async (mode) => {
    const path = writeKey(encodeEd25519PrivateKey(ed25519(), ''), mode);
    await expect(openSigner(path, { environment: {} })).rejects.toMatchObject({
      code: 'authentication-failed',
      message: `Cannot open the key "${path}": expected a file that only its owner may read, found mode 0${mode.toString(8)}`,
      hint: `chmod 600 ${path}`,
    });
  });

  test('that is not there is an error with its name', async () => {
    await expect(openSigner('~/none', { environment: { HOME: '/nowhere' } })).rejects.toMatchObject({
      code: 'file-missing',
      message: 'Cannot open the key "/nowhere/none": expected a private key, found no file',
    });
  });

  test('that holds no key is an error and never another failure', async () => {
    const path = writeKey('');
    const whole = encodeEd25519PrivateKey(ed25519(), 'comment');
    const body = Buffer.from(whole.split('\n').slice(1, -2).join(''), 'base64');
    const refused = async (text: string | Buffer) => {
      writeFileSync(path, text);
      return openSigner(path, { environment: {} }).then(
        () => undefined,
        (error) => {
          expect(error).toBeInstanceOf(BuilditError);
        },
      );
    };
    const armored = (bytes: Uint8Array) =>
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${Buffer.from(bytes).toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
    await refused('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    await refused('ssh-rsa AAAA');
    for (let length = 0; length < body.length; length += 1) await refused(armored(body.subarray(0, length)));
    await fc.assert(
      fc.asyncProperty(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), async (position, other) => {
        const changed = Buffer.from(body);
        changed[position]! ^= other;
        await refused(armored(changed));
      }),
    );
    await fc.assert(fc.asyncProperty(fc.uint8Array(), async (bytes) => refused(Buffer.from(bytes))));
  });

  test('whose halves do not belong together is refused', async () => {
    const [one, other] = [ed25519(), ed25519()].map((key) => encodeEd25519PrivateKey(key, '')) as [string, string];
    const body = (text: string) => Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
    const mixed = Buffer.concat([body(one).subarray(0, 98), body(other).subarray(98)]).toString('base64');
    const path = writeKey(`-----BEGIN OPENSSH PRIVATE KEY-----\n${mixed}\n-----END OPENSSH PRIVATE KEY-----\n`);
    await expect(openSigner(path, { environment: {} })).rejects.toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('found that of another'),
    });
  });
});

describe('a key with a passphrase', () => {
  withSsh.test('signs through the agent that holds it, and nobody is asked', async () => {
    const directory = temporaryDirectory();
    const agent = await startAgent();
    const ask = async () => expect.unreachable('nobody is asked');
    for (const [index, kind] of ['-t ed25519', '-t ecdsa', '-t rsa -b 2048', '-t rsa -b 2048 -m PEM'].entries()) {
      const key = generateKey(directory, `key${index}`, kind, 'secret words');
      agent.add(key.path, 'secret words');
      const signer = await openSigner(key.path, { environment: { SSH_AUTH_SOCK: agent.socket }, ask });
      expect(await signsAs(signer, key.publicKey)).toBe(true);
    }
  });

  withSsh.test('is opened with the passphrase that the user gives, at the third attempt too', async () => {
    const directory = temporaryDirectory();
    for (const [index, kind] of ['-t ed25519', '-t ecdsa', '-t rsa -b 2048 -m PEM'].entries()) {
      const key = generateKey(directory, `key${index}`, kind, 'secret words');
      const questions: string[] = [];
      const ask = async (question: string) => {
        questions.push(question);
        return questions.length < 3 ? 'wrong' : 'secret words';
      };
      const environment = { SSH_AUTH_SOCK: '/nowhere/agent' };
      expect(await signsAs(await openSigner(key.path, { environment, ask }), key.publicKey)).toBe(true);
      expect(questions).toEqual(Array(3).fill(`Passphrase for ${key.path}: `));
    }
  });

  withSsh.test('cannot be opened where nobody can be asked, and the remedy is named', async () => {
    const key = generateKey(temporaryDirectory(), 'key', '-t ed25519', 'secret words');
    const refusal = {
      code: 'authentication-failed',
      message: `Cannot open the key "${key.path}": expected one that the agent holds, or a terminal to ask for its passphrase, found neither`,
      hint: `give it to the agent with: ssh-add ${key.path}`,
    };
    const agent = await startAgent();
    await expect(openSigner(key.path, { environment: {} })).rejects.toMatchObject(refusal);
    const environment = { SSH_AUTH_SOCK: agent.socket };
    await expect(openSigner(key.path, { environment })).rejects.toMatchObject(refusal);
    const wrong = openSigner(key.path, { environment, ask: async () => 'wrong' });
    await expect(wrong).rejects.toMatchObject({ code: 'authentication-failed' });
    const silent = openSigner(key.path, { environment, ask: async () => undefined });
    await expect(silent).rejects.toMatchObject({ code: 'authentication-failed' });
  });

  withSsh.test('tells its public half without it', async () => {
    const key = generateKey(temporaryDirectory(), 'key', '-t ed25519', 'secret words');
    const found = { publicKey: key.publicKey, comment: 'key@here', place: key.path };
    expect(await findPublicKey(key.path, { environment: {} })).toEqual(found);
    rmSync(`${key.path}.pub`);
    expect(await findPublicKey(key.path, { environment: {} })).toEqual({ ...found, comment: '' });
  });
});

describe('a key in a variable', () => {
  test('signs, and never lies in a file', async () => {
    const key = ed25519();
    const environment = { SIGNING_KEY: encodeEd25519PrivateKey(key, 'ci').trim() };
    const signer = await openSigner('env:SIGNING_KEY', { environment });
    expect(await signsAs(signer, signer.publicKey)).toBe(true);
    expect(await findPublicKey('env:SIGNING_KEY', { environment })).toMatchObject({ publicKey: signer.publicKey });
  });

  test('that is empty is an error that shows no secret', async () => {
    for (const environment of [{}, { SIGNING_KEY: ' ' }])
      await expect(openSigner('env:SIGNING_KEY', { environment })).rejects.toMatchObject({
        code: 'authentication-failed',
      });
    const damaged = { SIGNING_KEY: 'canary' };
    const error = await openSigner('env:SIGNING_KEY', { environment: damaged }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'input-invalid' });
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('canary');
    await expect(openSigner('env:a b', { environment: {} })).rejects.toMatchObject({ code: 'configuration-invalid' });
  });
});

describe('the agent', () => {
  withSsh.test('signs with the key of a fingerprint, forty times at once', async () => {
    const agent = await startAgent();
    const directory = temporaryDirectory();
    const [key, other] = [generateKey(directory, 'key'), generateKey(directory, 'other', '-t rsa -b 2048')];
    for (const { path } of [key, other]) agent.add(path);
    const environment = { SSH_AUTH_SOCK: agent.socket };
    const signer = await openSigner(`agent:${fingerprint(other.publicKey)}`, { environment });
    const all = await Promise.all(Array.from({ length: 40 }, () => signsAs(signer, other.publicKey)));
    expect(all).toEqual(Array(40).fill(true));
  });

  withSsh.test('signs with the key whose public half alone is named', async () => {
    const agent = await startAgent();
    const key = generateKey(temporaryDirectory(), 'key');
    agent.add(key.path);
    rmSync(key.path);
    const environment = { SSH_AUTH_SOCK: agent.socket };
    expect(await signsAs(await openSigner(`${key.path}.pub`, { environment }), key.publicKey)).toBe(true);
    await expect(openSigner(`${key.path}.pub`, { environment: {} })).rejects.toMatchObject({
      code: 'authentication-failed',
    });
  });

  withSsh.test('that does not hold the key is named with what it holds', async () => {
    const agent = await startAgent();
    const key = generateKey(temporaryDirectory(), 'key');
    agent.add(key.path);
    const absent = `SHA256:${'A'.repeat(43)}`;
    await expect(openSigner(`agent:${absent}`, { environment: { SSH_AUTH_SOCK: agent.socket } })).rejects.toMatchObject(
      {
        code: 'authentication-failed',
        message: `Cannot open the key "agent:${absent}": expected the agent to hold it, found 1 other keys`,
        details: [`${fingerprint(key.publicKey)} key@here`],
      },
    );
    await expect(openSigner(`agent:${absent}`, { environment: {} })).rejects.toMatchObject({
      message: `Cannot open the key "agent:${absent}": expected an agent named by SSH_AUTH_SOCK, found none`,
    });
    await expect(openSigner('agent:me', { environment: {} })).rejects.toMatchObject({ code: 'configuration-invalid' });
  });

  test('that is silent, refuses, closes or talks without end is an error within its time', async () => {
    const key = `agent:SHA256:${'A'.repeat(43)}`;
    const sockets = await Promise.all([
      startFalseAgent(() => undefined),
      startFalseAgent((connection) => connection.write(wireString(Buffer.of(5)))),
      startFalseAgent((connection) => connection.end()),
      startFalseAgent((connection) => connection.write(Buffer.alloc(8, 0xff))),
      startFalseAgent((connection) => connection.write(wireString(Buffer.concat([Buffer.of(12), wireUint32(9)])))),
    ]);
    for (const socket of [...sockets, '/nowhere/agent']) {
      const opening = openSigner(key, { environment: { SSH_AUTH_SOCK: socket }, agentTimeoutMs: 200 });
      await expect(opening).rejects.toMatchObject({
        code: 'authentication-failed',
        message: expect.stringContaining(`Cannot ask the agent "${socket}": expected `),
      });
    }
  });

  test('that signs wrongly is found out before the signature is given on', async () => {
    const { blob, type } = (await openSigner(writeKey(encodeEd25519PrivateKey(ed25519(), '')), { environment: {} }))
      .publicKey;
    const socket = await startFalseAgent((connection, request) => {
      const lists = request[4] === 11;
      const keys = Buffer.concat([Buffer.of(12), wireUint32(1), wireString(blob), wireString('k')]);
      const signature = Buffer.concat([wireString(type), wireString(Buffer.alloc(64))]);
      connection.write(wireString(lists ? keys : Buffer.concat([Buffer.of(14), wireString(signature)])));
    });
    const print = fingerprint({ type, blob });
    const signer = await openSigner(`agent:${print}`, { environment: { SSH_AUTH_SOCK: socket } });
    await expect(signer.sign('buildit-package', message)).rejects.toMatchObject({
      code: 'authentication-failed',
      message: `Cannot sign with "${print}": expected a signature of this key from the agent, found one that does not fit`,
    });
  });
});

withSsh.test('a private key of ours is read by ssh-keygen and by ssh2 as we wrote it', async () => {
  const key = ed25519();
  for (const comment of ['', 'a', 'user@host', 'a longer comment of some words']) {
    const path = writeKey(encodeEd25519PrivateKey(key, comment));
    const shown = execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' });
    const found = await findPublicKey(path, { environment: {} });
    expect(shown.trim()).toBe(`ssh-ed25519 ${found?.publicKey.blob.toString('base64')}${comment && ` ${comment}`}`);
    const { default: ssh2 } = await import('ssh2');
    const parsed = ssh2.utils.parseKey(readFileSync(path));
    expect(parsed).not.toBeInstanceOf(Error);
    if (parsed instanceof Error) return;
    expect(createPrivateKey(parsed.getPrivatePEM()).equals(key)).toBe(true);
  }
});
