import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AllowedSigner, parseAllowedSigners } from '../../src/signing/allowed-signers.ts';
import type { PublicKey } from '../../src/signing/public-key.ts';
import { parsePublicKey } from '../../src/signing/public-key-text.ts';

export interface GeneratedKey {
  readonly path: string;
  /** The line of its .pub file. */
  readonly publicText: string;
  readonly publicKey: PublicKey;
}

/** A key made by the real ssh-keygen. `parameters` are such as `-t rsa -b 2048`. */
export function generateKey(directory: string, name: string, parameters = '-t ed25519', passphrase = ''): GeneratedKey {
  const path = join(directory, name);
  execFileSync('ssh-keygen', ['-q', ...parameters.split(' '), '-N', passphrase, '-C', `${name}@here`, '-f', path]);
  chmodSync(path, 0o600);
  const publicText = readFileSync(`${path}.pub`, 'utf8').trim();
  return { path, publicText, publicKey: parsePublicKey(publicText).publicKey };
}

/** The armored signature of the real ssh-keygen. */
export function signWithSshKeygen(key: GeneratedKey, namespace: string, message: Uint8Array, hash = 'sha512'): string {
  return execFileSync('ssh-keygen', ['-Y', 'sign', '-q', '-f', key.path, '-n', namespace, '-O', `hashalg=${hash}`], {
    input: message,
    stdio: ['pipe', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
}

export interface VerifyWithSshKeygen {
  readonly directory: string;
  readonly allowedSigners: string;
  readonly principal: string;
  readonly namespace: string;
  readonly message: Uint8Array;
  readonly armored: string;
}

/** Whether the real ssh-keygen believes a signature. */
export function sshKeygenBelieves(question: VerifyWithSshKeygen): boolean {
  const signers = join(question.directory, 'asked_signers');
  const signature = join(question.directory, 'asked.sig');
  writeFileSync(signers, question.allowedSigners);
  writeFileSync(signature, question.armored);
  const { status } = spawnSync(
    'ssh-keygen',
    ['-Y', 'verify', '-f', signers, '-I', question.principal, '-n', question.namespace, '-s', signature],
    { input: question.message, stdio: ['pipe', 'ignore', 'ignore'] },
  );
  return status === 0;
}

/** The signers of a file without problems. */
export function signersOf(text: string): readonly AllowedSigner[] {
  const { signers, problems } = parseAllowedSigners(text, 'allowed_signers');
  if (problems.length > 0) throw problems[0];
  return signers;
}
