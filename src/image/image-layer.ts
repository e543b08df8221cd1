import { createHash } from 'node:crypto';
import { closeSync, constants, createReadStream, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureTree } from '../layer/ensure-tree.ts';
import type { LayerFileEntry, ReadContent } from '../layer/write-tar.ts';
import { sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Store } from '../store/store.ts';
import type { ImageMember } from './image-member.ts';
import type { DraftedLayer } from './layer-content.ts';
import type { TreeSource } from './merge-tree.ts';

/** Files of an image that come together: a package, or what buildit or the user puts on top of the packages. */
export interface ImageLayer extends TreeSource {
  /** The package it is, where it is one. */
  readonly member: ImageMember | undefined;
  /** Makes contents readable; each is verified while it is read. */
  open(): Promise<ReadContent>;
}

export function memberLayer(store: Store, member: ImageMember): ImageLayer {
  return {
    name: member.name,
    listing: member.listing,
    member,
    async open() {
      const tree = await ensureTree(store, member.layer);
      return (entry) => readVerified(entry, join(tree, entry.path), (path) => damagedTree(member.name, path));
    },
  };
}

export function draftLayer(name: string, { listing, contents }: DraftedLayer): ImageLayer {
  return {
    name,
    listing,
    member: undefined,
    async open() {
      return (entry) => {
        const content = contents.get(entry.path);
        if (content === undefined) throw new TypeError(`The layer "${name}" has no content for "${entry.path}"`);
        return content.kind === 'bytes' ? content.bytes : readVerified(entry, content.path, changedFile);
      };
    },
  };
}

const WHOLE_BYTES = 256 * 1024;

/** Small files are read at once: most are, and a stream for each would cost more than their bytes. */
function readVerified(
  entry: LayerFileEntry,
  path: string,
  onMismatch: (path: string) => BuilditError,
): Uint8Array | AsyncIterable<Uint8Array> {
  const file = openRegularFile(path, onMismatch);
  if (entry.size > WHOLE_BYTES) return streamVerified(entry, file, () => onMismatch(path));
  try {
    const bytes = readFileSync(file);
    if (bytes.length !== entry.size || sha256(bytes) !== entry.sha256) throw onMismatch(path);
    return bytes;
  } finally {
    closeSync(file);
  }
}

function openRegularFile(path: string, onMismatch: (path: string) => BuilditError): number {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    throw onMismatch(path);
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw onMismatch(path);
}

async function* streamVerified(
  entry: LayerFileEntry,
  file: number,
  mismatch: () => BuilditError,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream('', { fd: file, highWaterMark: WHOLE_BYTES })) {
    size += (chunk as Buffer).length;
    if (size > entry.size) throw mismatch();
    hash.update(chunk as Buffer);
    yield chunk as Buffer;
  }
  if (size !== entry.size || hash.digest('hex') !== entry.sha256) throw mismatch();
}

function damagedTree(name: string, path: string): BuilditError {
  return new BuilditError(
    'store-damaged',
    `Cannot read a file of ${name} from the store: expected the bytes its listing names in "${printable(path)}", found others`,
    { hint: 'run the same command again: the damaged tree is found then, and unpacked again' },
  );
}

function changedFile(path: string): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot read "${printable(path)}": expected it to stay as it was when the build began, found it changed`,
    { hint: 'build again when nothing is writing to it' },
  );
}
