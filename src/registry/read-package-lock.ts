import { isDeepStrictEqual } from 'node:util';
import { acceptArtefact, archiveName, artefactPurl } from '../model/registry.ts';
import { type LockedArtefact, type LockText, lockRefusal, MAXIMUM_LOCKED } from './locked-artefact.ts';

const INTEGRITY = /(?:^|\s)sha512-([A-Za-z0-9+/]{86}==)(?:\s|$)/;

/**
 * What a package-lock.json (lockfileVersion 2 or 3) installs for use: no development dependencies, nothing that comes
 * inside another package. `resolved` is not looked at: the registry is the host's. Links inside the project are passed
 * over; what comes from git or elsewhere has no SHA-512 and is refused.
 */
export function readPackageLock(lock: LockText): readonly LockedArtefact[] {
  const packages = memberObject(parse(lock), 'packages');
  if (packages === undefined) throw lockRefusal(lock, 'lockfileVersion 2 or 3 with "packages"', 'another file');
  const found = new Map<string, LockedArtefact>();
  for (const [path, entry] of Object.entries(packages)) {
    const locked = readEntry(lock, path, entry);
    if (locked === undefined) continue;
    const purl = artefactPurl(locked.artefact);
    const other = found.get(purl);
    if (other !== undefined && !isDeepStrictEqual(other, locked)) {
      throw lockRefusal(lock, `one checksum of ${purl}`, 'two');
    }
    found.set(purl, locked);
    if (found.size > MAXIMUM_LOCKED) throw lockRefusal(lock, `at most ${MAXIMUM_LOCKED} packages`, 'more');
  }
  return [...found.values()];
}

function readEntry(lock: LockText, path: string, entry: unknown): LockedArtefact | undefined {
  const at = path.lastIndexOf('node_modules/');
  if (typeof entry !== 'object' || entry === null) throw lockRefusal(lock, `an object at "${path}"`, 'another value');
  const { name: own, version, integrity, link, dev, inBundle } = entry as Record<string, unknown>;
  // The project itself, and its workspaces.
  if (at < 0 || link === true || dev === true || inBundle === true) return undefined;
  const name = own ?? path.slice(at + 'node_modules/'.length);
  if (typeof name !== 'string' || typeof version !== 'string') {
    throw lockRefusal(lock, `a name and a version at "${path}"`, 'none');
  }
  const fileName = archiveName('npm', name, version);
  const artefact = acceptArtefact({ ecosystem: 'npm', name, version, fileName });
  if (artefact === undefined) {
    throw lockRefusal(lock, `a package of the registry at "${path}"`, `"${name}" ${version}`);
  }
  const base64 = typeof integrity === 'string' ? INTEGRITY.exec(integrity)?.[1] : undefined;
  if (base64 === undefined)
    throw lockRefusal(lock, `a SHA-512 as "integrity" at "${path}"`, String(integrity ?? 'none'));
  return { artefact, checksum: { kind: 'sha512', base64 } };
}

function parse(lock: LockText): unknown {
  try {
    return JSON.parse(lock.text);
  } catch {
    throw lockRefusal(lock, 'JSON', 'another text');
  }
}

function memberObject(value: unknown, key: string): Record<string, unknown> | undefined {
  const member = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
  return typeof member === 'object' && member !== null && !Array.isArray(member)
    ? (member as Record<string, unknown>)
    : undefined;
}
