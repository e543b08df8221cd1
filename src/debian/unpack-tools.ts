import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalLayerPath } from '../layer/canonical-layer-path.ts';
import { decompress } from '../layer/decompress.ts';
import { readTar } from '../layer/read-tar.ts';
import { once } from '../layer/tar-member.ts';
import { unpackTree } from '../layer/unpack-tree.ts';
import { type Digest, digestOfJson, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { DebianPin } from '../model/lock.ts';
import { makeTraversableDirectory } from '../system/files.ts';
import { downloadBytes } from '../system/http.ts';
import type { ArchiveSession } from './archive-session.ts';
import { type PlaceTried, placeTried, triedLines } from './archive-session.ts';
import { debUrls } from './fetch-debs.ts';
import { openDeb } from './open-deb.ts';

/** Debian's package of the program that takes locks, and all that it is linked to. */
const FLOCK_PACKAGES = ['util-linux', 'libc6'];
const FLOCK_FILES = /^usr\/bin\/flock$|^usr\/lib\/[^/]+\/(libc\.so\.6|ld-linux[^/]*)$/;
const MANIFEST = 'manifest.json';

/**
 * The tree that holds Debian's `flock`, unpacked below `directory` without taking a lock: what takes locks cannot wait
 * for one. It appears by a rename, under the digest of its packages, and its files are verified each time.
 */
export async function unpackFlock(
  directory: string,
  pins: Readonly<Record<string, DebianPin>>,
  session: Omit<ArchiveSession, 'store'>,
): Promise<string> {
  const packages = FLOCK_PACKAGES.map((name) => {
    const pin = Object.hasOwn(pins, name) ? pins[name] : undefined;
    if (pin !== undefined) return pin;
    throw new BuilditError(
      'sandbox-unavailable',
      `Cannot take file locks: this machine has no flock, and no lock pins debian/${name}`,
      {
        hint: 'install util-linux',
      },
    );
  });
  const target = join(directory, digestOfJson(packages.map((pin) => pin.sha256)));
  if (isIntact(target)) return target;
  makeTraversableDirectory(directory);
  const fresh = mkdtempSync(join(directory, 'new-'));
  try {
    const manifest: Record<string, Digest> = {};
    for (const pin of packages) await unpackPackage(pin, fresh, manifest, session);
    writeFileSync(join(fresh, MANIFEST), JSON.stringify(manifest));
    rmSync(target, { recursive: true, force: true });
    renameSync(fresh, target);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!isIntact(target)) throw error;
  }
  return target;
}

async function unpackPackage(
  pin: DebianPin,
  target: string,
  manifest: Record<string, Digest>,
  session: Omit<ArchiveSession, 'store'>,
): Promise<void> {
  const what = `${pin.name}_${pin.version}.deb`;
  const deb = await openDeb(once(await downloadDeb(pin, session)), what);
  const part = join(target, pin.name);
  mkdirSync(part);
  const members = readTar(decompress(deb.data.bytes, deb.data.compression, { what }), { what });
  await unpackTree(members, part, {
    what,
    mapPath: canonicalLayerPath,
    filter: ({ path }) => FLOCK_FILES.test(canonicalLayerPath(path) ?? ''),
    onEntry: (path) => {
      manifest[path] = '';
    },
  });
  for (const path of Object.keys(manifest).filter((name) => manifest[name] === '')) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    renameSync(join(part, path), join(target, path));
    manifest[path] = sha256(readFileSync(join(target, path)));
  }
  rmSync(part, { recursive: true });
}

async function downloadDeb(
  pin: DebianPin,
  { config, context, surroundings }: Omit<ArchiveSession, 'store'>,
): Promise<Uint8Array> {
  const tried: PlaceTried[] = [];
  for (const { url, kind } of debUrls(pin, surroundings === undefined ? { config } : { config, surroundings })) {
    try {
      const bytes = await downloadBytes(url, {
        signal: context.signal,
        allowHttp: true,
        maximumBytes: pin.size,
        offline: config.offline,
      });
      if (sha256(bytes) === pin.sha256) return bytes;
      tried.push({ url, kind, answer: 'other bytes than the lock pins', isAbsent: false, code: 'checksum-mismatch' });
    } catch (error) {
      tried.push(placeTried(url, kind, error));
    }
  }
  throw new BuilditError(
    'unreachable',
    `Cannot fetch ${pin.name} ${pin.version}: this machine has no flock, and no archive gave Debian's`,
    {
      details: triedLines(tried),
      hint: 'install util-linux, or see what keeps the archive from being reached',
    },
  );
}

function isIntact(target: string): boolean {
  try {
    const manifest = JSON.parse(readFileSync(join(target, MANIFEST), 'utf8')) as Record<string, Digest>;
    return Object.entries(manifest).every(([path, digest]) => sha256(readFileSync(join(target, path))) === digest);
  } catch {
    return false;
  }
}
