import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalLayerPath } from '../../../src/layer/canonical-layer-path.ts';
import { readTar } from '../../../src/layer/read-tar.ts';
import { once } from '../../../src/layer/tar-member.ts';

const MOST_BYTES = 2 ** 30;

/** Type, mode, target and content of everything but directories in an archive, by its path below a merged /usr. */
export async function archivedFiles(tar: Uint8Array): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for await (const { type, path, mode, target, content } of readTar(once(tar), { what: 'an archive' })) {
    const placed = canonicalLayerPath(path);
    if (type === 'directory' || placed === undefined || placed.startsWith('var/lib/dpkg/')) continue;
    const digest = createHash('sha256');
    for await (const chunk of content) digest.update(chunk);
    files.set(placed, [type, type === 'file' ? mode.toString(8) : '', target, digest.digest('hex')].join(' '));
  }
  return files;
}

/** The same of all layers of an OCI layout, one above the other. */
export async function layoutFiles(layout: string): Promise<ReadonlyMap<string, string>> {
  const blobs = join(layout, 'blobs/sha256');
  const files = new Map<string, string>();
  for (const name of readdirSync(blobs)) {
    const tar = unpacked(join(blobs, name));
    if (tar !== undefined) for (const [path, facts] of await archivedFiles(tar)) files.set(path, facts);
  }
  return files;
}

/** Undefined for blobs that are no layers. */
function unpacked(blob: string): Uint8Array | undefined {
  try {
    return execFileSync('zstd', ['--decompress', '--stdout', blob], { maxBuffer: MOST_BYTES, stdio: 'pipe' });
  } catch {
    return undefined;
  }
}
