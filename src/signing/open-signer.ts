import type { KeyObject } from 'node:crypto';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { absolutePath, type Environment } from '../system/user-directories.ts';
import { type Agent, openAgent } from './agent.ts';
import { createAgentSigner } from './create-agent-signer.ts';
import { createSigner } from './create-signer.ts';
import { parseKeySource } from './key-source.ts';
import { parsePrivateKey, type Unlock } from './private-key-text.ts';
import { fingerprint, type PublicKey } from './public-key.ts';
import { parsePublicKey } from './public-key-text.ts';
import { readPrivateKeyFile } from './read-private-key-file.ts';
import { readSmallFile } from './read-small-file.ts';
import type { Signer } from './signer.ts';
import { usualKeyFiles } from './signing-paths.ts';
import { WireFault } from './wire-reader.ts';

/** Asks for a passphrase without showing it; undefined where the user gives none. */
export type AskPassphrase = (question: string) => Promise<string | undefined>;

export interface SignerOptions {
  readonly environment: Environment;
  /** Absent where nobody can be asked: standard input or standard error is no terminal. */
  readonly ask?: AskPassphrase | undefined;
  /** How long the agent may take for one answer, the user's consent included. */
  readonly agentTimeoutMs?: number | undefined;
}

const AGENT_TIMEOUT_MS = 60_000;
const ATTEMPTS = 3;
const MAXIMUM_PUBLIC_KEY_BYTES = 16_384;

/**
 * Opens the private key that `key` names: a file (`~/.ssh/id_ed25519`; a .pub file means the agent's key), the agent's
 * (`agent:SHA256:…`), or the text of a variable (`env:NAME`). Without a name: the key of buildit's own, else
 * `~/.ssh/id_ed25519`, else undefined. Fails with `file-missing`, `input-invalid` (no key) or `authentication-failed`.
 */
export async function openSigner(key: string, options: SignerOptions): Promise<Signer>;
export async function openSigner(key: string | undefined, options: SignerOptions): Promise<Signer | undefined>;
export async function openSigner(key: string | undefined, options: SignerOptions): Promise<Signer | undefined> {
  if (key === undefined) return openUsualSigner(options);
  const source = parseKeySource(key, options.environment);
  switch (source.kind) {
    case 'agent':
      return openFromAgent(source.fingerprint, options);
    case 'environment':
      return openText(variableText(source.variable, options), { name: key, path: undefined }, options);
    case 'file': {
      const text = await readPrivateKeyFile(source.path);
      if (text === undefined) throw noKeyFile(source.path);
      return openText(text, { name: source.path, path: source.path }, options);
    }
  }
}

async function openUsualSigner(options: SignerOptions): Promise<Signer | undefined> {
  for (const path of usualKeyFiles(options.environment)) {
    const text = await readPrivateKeyFile(path);
    if (text !== undefined) return openText(text, { name: path, path }, options);
  }
  return undefined;
}

function variableText(variable: string, { environment }: SignerOptions): string {
  const text = environment[variable];
  if (text !== undefined && text.trim() !== '') return text;
  throw new BuilditError(
    'authentication-failed',
    `Cannot open the key "env:${variable}": expected a private key in the variable ${variable}, found nothing`,
    { hint: 'the variable holds the text of the key, from -----BEGIN to -----END' },
  );
}

interface KeyPlace {
  /** What the user calls it. */
  readonly name: string;
  /** Undefined for a key that lies in no file. */
  readonly path: string | undefined;
}

async function openText(text: string, place: KeyPlace, options: SignerOptions): Promise<Signer> {
  try {
    const publicOnly = publicKeyIn(text);
    if (publicOnly !== undefined) return await openHardware(publicOnly, place, options);
    const parsed = await parsePrivateKey(text);
    switch (parsed.kind) {
      case 'open':
        return createSigner(parsed.key);
      case 'hardware':
        return await openHardware(parsed.publicKey, place, options);
      case 'encrypted':
        return await openEncrypted(parsed, place, options);
    }
  } catch (error) {
    if (!(error instanceof WireFault)) throw error;
    throw new BuilditError('input-invalid', `Cannot open the key "${printable(place.name)}": ${error.message}`, {
      hint: 'buildit signs with Ed25519, ECDSA and RSA keys in the format of ssh-keygen or in PEM',
      cause: error,
    });
  }
}

function publicKeyIn(text: string): PublicKey | undefined {
  return /^\s*-----BEGIN /.test(text) ? undefined : parsePublicKey(text).publicKey;
}

/** A key whose private half only the agent can use. */
async function openHardware(publicKey: PublicKey, place: KeyPlace, options: SignerOptions): Promise<Signer> {
  const signer = await findInAgent(publicKey, options);
  if (signer !== undefined) return signer;
  throw locked(place, 'a key that the agent holds, found one that it does not hold');
}

async function openEncrypted(
  { publicKey, unlock }: { readonly publicKey: PublicKey | undefined; readonly unlock: Unlock },
  place: KeyPlace,
  options: SignerOptions,
): Promise<Signer> {
  const known = publicKey ?? (await readPublicHalf(place));
  const held = known === undefined ? undefined : await findInAgent(known, options);
  if (held !== undefined) return held;
  if (options.ask === undefined)
    throw locked(place, 'one that the agent holds, or a terminal to ask for its passphrase, found neither');
  const key = await askAndUnlock(options.ask, unlock, place);
  if (key === undefined) throw locked(place, 'its passphrase, found another');
  return createSigner(key);
}

async function askAndUnlock(ask: AskPassphrase, unlock: Unlock, place: KeyPlace): Promise<KeyObject | undefined> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const passphrase = await ask(`Passphrase for ${printable(place.name)}: `);
    if (passphrase === undefined) return undefined;
    const key = await unlock(passphrase);
    if (key !== undefined) return key;
  }
  return undefined;
}

/** The key in the .pub file beside a private key that does not say which it is. */
async function readPublicHalf({ path }: KeyPlace): Promise<PublicKey | undefined> {
  if (path === undefined) return undefined;
  const file = await readSmallFile(`${path}.pub`, MAXIMUM_PUBLIC_KEY_BYTES);
  return file === undefined ? undefined : parsePublicKey(file.text).publicKey;
}

/** An agent that cannot be asked holds no key: the user may still give the passphrase. */
async function findInAgent(publicKey: PublicKey, options: SignerOptions): Promise<Signer | undefined> {
  const agent = agentOf(options);
  const keys = (await agent?.keys().catch(() => [])) ?? [];
  const held = keys.some((key) => key.publicKey.blob.equals(publicKey.blob));
  return agent !== undefined && held ? createAgentSigner(agent, publicKey) : undefined;
}

async function openFromAgent(wanted: string, options: SignerOptions): Promise<Signer> {
  const agent = agentOf(options);
  if (agent === undefined)
    throw new BuilditError(
      'authentication-failed',
      `Cannot open the key "agent:${wanted}": expected an agent named by SSH_AUTH_SOCK, found none`,
      { hint: 'start one with: eval "$(ssh-agent)"; ssh-add' },
    );
  const keys = await agent.keys();
  const held = keys.find(({ publicKey }) => fingerprint(publicKey) === wanted);
  if (held !== undefined) return createAgentSigner(agent, held.publicKey);
  throw new BuilditError(
    'authentication-failed',
    `Cannot open the key "agent:${wanted}": expected the agent to hold it, found ${keys.length} other keys`,
    {
      hint: 'add it with ssh-add',
      details: keys.map((key) => `${fingerprint(key.publicKey)} ${printable(key.comment)}`),
    },
  );
}

/** The user's agent, where there is one. */
export function agentOf({ environment, agentTimeoutMs = AGENT_TIMEOUT_MS }: SignerOptions): Agent | undefined {
  const socketPath = absolutePath(environment, 'SSH_AUTH_SOCK');
  return socketPath !== undefined ? openAgent(socketPath, { timeoutMs: agentTimeoutMs }) : undefined;
}

function locked({ name, path }: KeyPlace, expectation: string): BuilditError {
  return new BuilditError(
    'authentication-failed',
    `Cannot open the key "${printable(name)}": expected ${expectation}`,
    {
      hint:
        path === undefined ? 'use a key without a passphrase' : `give it to the agent with: ssh-add ${printable(path)}`,
    },
  );
}

function noKeyFile(path: string): BuilditError {
  return new BuilditError(
    'file-missing',
    `Cannot open the key "${printable(path)}": expected a private key, found no file`,
    {
      hint: 'make a key with buildit key new, or name another with sign: {key: …}',
    },
  );
}
