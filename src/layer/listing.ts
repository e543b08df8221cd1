import { canonicalJson, type JsonValue } from '../model/canonical-json.ts';
import { isCapabilitySet } from '../model/capability.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { LayerEntry, LayerListing } from '../model/layer.ts';
import { isCleanRelativePath } from '../model/names.ts';
import { readBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { comparePaths } from './path-order.ts';

/** Above the listing of any package: 200 bytes an entry, a million entries. */
const MOST_LISTING_BYTES = 256 * 2 ** 20;

/** The JSON of a listing, the same for the same entries: canonical, one entry a line, so that two can be compared. */
export function listingBytes(listing: LayerListing): Buffer {
  return Buffer.from(`[${listing.map((entry) => canonicalJson(entry as JsonValue)).join(',\n')}]\n`);
}

/** The listing of a layer, from its blob. */
export async function readListing(store: Store, digest: Digest): Promise<LayerListing> {
  const bytes = await readBlob(store, digest, { maxBytes: MOST_LISTING_BYTES });
  return parseListing(bytes, digest);
}

/** Reads a listing that may come from anywhere; `what` is its name in messages. */
export function parseListing(bytes: Uint8Array, what: string): LayerListing {
  const entries = parseJson(bytes, what);
  if (!Array.isArray(entries)) throw invalid(what, 'a list of entries', typeof entries);
  const files = new Set<string>();
  const directories = new Set<string>();
  let previous = '';
  for (const [index, entry] of entries.entries()) {
    if (!isEntry(entry)) throw invalid(what, 'a layer entry', `another value at ${index}`);
    if (comparePaths(previous, entry.path) >= 0) throw invalid(what, 'sorted paths', `"${entry.path}" at ${index}`);
    const slash = entry.path.lastIndexOf('/');
    if (slash > 0 && !directories.has(entry.path.slice(0, slash))) {
      throw invalid(what, 'an entry for each directory', `none above "${entry.path}"`);
    }
    if (entry.type === 'hardlink' && !files.has(entry.target)) {
      throw invalid(what, 'hard links to earlier files', `"${entry.path}"`);
    }
    if (entry.type === 'file') files.add(entry.path);
    if (entry.type === 'directory') directories.add(entry.path);
    previous = entry.path;
  }
  return entries as LayerListing;
}

function isEntry(value: unknown): value is LayerEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as { readonly [key: string]: unknown };
  const numbersAreWhole = [entry.mode, entry.uid, entry.gid, entry.mtime].every(Number.isSafeInteger);
  if (!numbersAreWhole || typeof entry.path !== 'string' || !isCleanRelativePath(entry.path)) return false;
  if (((entry.mode as number) & ~0o7777) !== 0 || (entry.uid as number) < 0 || (entry.gid as number) < 0) {
    return false;
  }
  if (entry.capabilities !== undefined && (entry.type !== 'file' || !isCapabilitySet(entry.capabilities))) return false;
  switch (entry.type) {
    case 'file':
      return isFileSize(entry.size) && typeof entry.sha256 === 'string' && isDigest(entry.sha256);
    case 'directory':
      return true;
    case 'symlink':
    case 'hardlink':
      return typeof entry.target === 'string' && entry.target !== '' && !entry.target.includes('\0');
    default:
      return false;
  }
}

function isFileSize(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(what, 'JSON', error instanceof Error ? error.message : 'other bytes');
  }
}

function invalid(what: string, expected: string, found: string): BuilditError {
  return new BuilditError(
    'store-damaged',
    `Cannot read "${what}" as a layer's listing: expected ${expected}, found ${found}`,
  );
}
