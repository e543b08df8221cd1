import { mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { YAML_LIMITS } from '../document/compose-yaml.ts';
import { shownPath } from '../document/read-document.ts';
import { readBytes } from '../document/read-text.ts';
import { canonicalJson } from '../model/canonical-json.ts';
import { type Digest, isDigest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { writeFileDurably } from '../system/files.ts';
import { baseDirectory } from '../system/needed-directories.ts';
import { type Environment, findBaseDirectory } from '../system/user-directories.ts';
import type { Witness } from '../system/witness.ts';

const FORMAT = 1;
const MAXIMUM_BYTES = 1024 * 1024;

/** Digests of the project configurations that the user accepted, by real path. */
export type TrustedConfigs = Readonly<Record<string, Digest>>;

/** Remembers a configuration file as it is now: what only the user may set counts from it until it changes. */
export async function trustConfigFile(
  path: string,
  environment: Environment,
): Promise<{ path: string; sha256: Digest }> {
  const real = await realpath(path).catch((cause) => {
    throw new BuilditError('file-missing', `Cannot trust "${shownPath(path)}": expected a file, found none`, { cause });
  });
  const name = shownPath(path);
  const bytes = await readBytes(real, { name, maximumBytes: YAML_LIMITS.bytes, code: 'configuration-invalid' });
  const digest = sha256(bytes);
  const known = await readTrustedConfigs(environment);
  const memory = memoryIn(baseDirectory(environment, 'state'));
  await mkdir(dirname(memory), { recursive: true, mode: 0o700 });
  const files = { ...known, [real]: digest };
  await writeFileDurably(memory, `${canonicalJson({ format: FORMAT, files })}\n`, { mode: 0o600 });
  return { path: real, sha256: digest };
}

/** What was accepted; nothing where nothing was, or where the memory cannot be understood. */
export async function readTrustedConfigs(environment: Environment, witness?: Witness): Promise<TrustedConfigs> {
  const state = findBaseDirectory(environment, 'state');
  if (state === undefined) return {};
  const path = memoryIn(state);
  const options = { name: path, maximumBytes: MAXIMUM_BYTES, code: 'configuration-invalid', witness } as const;
  try {
    const memory: unknown = JSON.parse((await readBytes(path, options)).toString('utf8'));
    if (typeof memory !== 'object' || memory === null || !('format' in memory) || memory.format !== FORMAT) return {};
    const files = 'files' in memory && typeof memory.files === 'object' ? Object.entries(memory.files ?? {}) : [];
    return Object.fromEntries(files.filter((entry): entry is [string, Digest] => isDigest(String(entry[1]))));
  } catch {
    return {};
  }
}

export async function isTrustedConfig(
  path: string,
  bytes: Uint8Array | string,
  trusted: TrustedConfigs,
): Promise<boolean> {
  const real = await realpath(path);
  return Object.hasOwn(trusted, real) && trusted[real] === sha256(bytes);
}

function memoryIn(state: string): string {
  return join(state, 'buildit', 'trusted-configs.json');
}
