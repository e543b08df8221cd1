import { existsSync, readFileSync } from 'node:fs';
import { printable } from '../model/names.ts';
import { agentKeyTypes } from './agent-key-types.ts';
import type { SshSettings } from './ssh-settings.ts';

/** What ssh2 cannot log in with and the system's ssh can: certificates, security keys and PKCS#11 tokens, as messages name them. */
export async function keysForSystemSsh(settings: SshSettings): Promise<readonly string[]> {
  const certificates = [
    ...settings.certificateFiles,
    ...settings.identityFiles.map((file) => `${file}-cert.pub`),
    // OpenSSH takes the name of a certificate or a public key for that of the key, too.
    ...settings.identityFiles.filter((file) => file.endsWith('-cert.pub')),
  ].filter((file) => existsSync(file));
  const types = settings.agent === undefined ? [] : await agentKeyTypes(settings.agent);
  const named = [
    ...certificates.map((file) => `the certificate ${file}`),
    ...settings.identityFiles.filter(isSecurityKey).map((file) => `the security key ${file}`),
    ...(types.some((type) => type.includes('-cert-v')) ? ['a certificate of the agent'] : []),
    ...(types.some((type) => type.startsWith('sk-') && !type.includes('-cert-v'))
      ? ['a security key of the agent']
      : []),
    ...(settings.hasToken ? ['the PKCS11Provider of ssh_config'] : []),
  ];
  return [...new Set(named)].map(printable);
}

const MOST_KEY_BYTES = 64 << 10;

/** `sk-ssh-ed25519@openssh.com` and the like: the private half is in a device. */
export function isSecurityKey(file: string): boolean {
  const shown = textOf(`${file}.pub`) ?? '';
  if (/^\s*(?:sk-|webauthn-sk-)/.test(shown)) return true;
  const [, encoded] = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*)/.exec(textOf(file) ?? '') ?? [];
  // The public half stands in the clear before what a passphrase protects.
  return encoded !== undefined && Buffer.from(encoded, 'base64').subarray(0, 1024).includes('sk-');
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file).toString('latin1', 0, MOST_KEY_BYTES);
  } catch {
    return undefined;
  }
}
