import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import { type Digest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { ContainerLock, RepositoryLock } from '../model/lock.ts';
import { writeFileDurably } from '../system/files.ts';
import { parseContainerLock, parseRepositoryLock } from './parse-lock.ts';

export const LOCK_FILE = 'buildit.lock';
const MAXIMUM_BYTES = 32 * 1024 * 1024;

/** Reads the lock of a repository with the digest by which containers refer to it; undefined where there is none. */
export async function readRepositoryLock(
  directory: string,
): Promise<{ lock: RepositoryLock; digest: Digest } | undefined> {
  const text = await readLockText(join(directory, LOCK_FILE));
  return text === undefined
    ? undefined
    : { lock: parseRepositoryLock(text, join(directory, LOCK_FILE)), digest: sha256(text) };
}

export async function readContainerLock(directory: string): Promise<ContainerLock | undefined> {
  const text = await readLockText(join(directory, LOCK_FILE));
  return text === undefined ? undefined : parseContainerLock(text, join(directory, LOCK_FILE));
}

export async function writeLock(directory: string, lock: ContainerLock | RepositoryLock): Promise<void> {
  await writeFileDurably(join(directory, LOCK_FILE), lockText(lock), { mode: 0o644 });
}

/** A lock as text: sorted keys, one field a line, a list of names on one line, so that a person can read its diff. */
export function lockText(lock: ContainerLock | RepositoryLock): string {
  return `${indented(lock as unknown as JsonValue, '')}\n`;
}

function indented(value: JsonValue, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value as readonly JsonValue[];
    const flat = `[${items.map((item) => canonicalJson(item)).join(', ')}]`;
    if (flat.length <= 100) return flat;
    return `[\n${items.map((item) => inner + indented(item, inner)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return canonicalJson(value);
  const entries = Object.entries(value as { readonly [key: string]: JsonValue }).filter(
    ([, member]) => member !== undefined,
  );
  if (entries.length === 0) return '{}';
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = entries.map(([key, member]) => `${inner}${canonicalJson(key)}: ${indented(member, inner)}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

async function readLockText(path: string): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new BuilditError('definition-invalid', `Cannot read the lock "${path}": expected a regular file`, {
      cause: error,
    });
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size > MAXIMUM_BYTES) {
      throw new BuilditError(
        'definition-invalid',
        `Cannot read the lock "${path}": expected a regular file of at most ${MAXIMUM_BYTES} bytes`,
      );
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
