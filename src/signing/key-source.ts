import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { expandHome } from '../system/needed-directories.ts';
import { type Environment, namesOtherHome } from '../system/user-directories.ts';

/** Where a private key is, as `sign: {key: …}` says it. */
export type KeySource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'agent'; readonly fingerprint: string }
  | { readonly kind: 'environment'; readonly variable: string };

/** Reads `~/.ssh/id_ed25519`, `agent:SHA256:…` or `env:NAME`. */
export function parseKeySource(text: string, environment: Environment): KeySource {
  const [, scheme, rest = ''] = /^(agent|env):(.*)$/s.exec(text) ?? [];
  if (scheme === undefined && !namesOtherHome(text)) return { kind: 'file', path: expandHome(text, environment) };
  if (scheme === undefined) {
    const message = `Cannot open the key "${printable(text)}": expected a path, found the home of another user`;
    throw new BuilditError('configuration-invalid', message, { hint: 'write the whole path, as in /home/alice/key' });
  }
  if (scheme === 'agent' && isFingerprint(rest)) return { kind: 'agent', fingerprint: rest };
  if (scheme === 'env' && /^[A-Za-z_][A-Za-z0-9_]*$/.test(rest)) return { kind: 'environment', variable: rest };
  throw new BuilditError(
    'configuration-invalid',
    `Cannot open the key "${printable(text)}": expected ${scheme === 'agent' ? 'a fingerprint SHA256:…' : 'the name of a variable'} after "${scheme}:", found "${printable(rest)}"`,
    { hint: scheme === 'agent' ? 'ssh-add -l lists the fingerprints that the agent holds' : undefined },
  );
}

/** `SHA256:` and unpadded base64 of 32 bytes, as ssh-keygen shows a key. */
export function isFingerprint(text: string): boolean {
  return /^SHA256:[A-Za-z0-9+/]{43}$/.test(text);
}
