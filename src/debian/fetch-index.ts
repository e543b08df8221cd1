import { createHash } from 'node:crypto';
import { type Compression, decompress } from '../layer/decompress.ts';
import { once } from '../layer/tar-member.ts';
import { isDigest, sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { objectOf, textThat } from '../model/json-shape.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { putBlob } from '../store/put-blob.ts';
import { readBlob } from '../store/read-blob.ts';
import { downloadBytes } from '../system/http.ts';
import {
  type ArchiveSession,
  commonCode,
  commonHint,
  type PlaceTried,
  placeTried,
  triedLines,
} from './archive-session.ts';
import type { VerifiedSuite } from './fetch-release.ts';
import type { IndexFile } from './release.ts';

const COMPRESSIONS = [
  { suffix: '.xz', compression: 'xz' },
  { suffix: '.gz', compression: 'gzip' },
  { suffix: '', compression: 'none' },
] as const;

/** The largest index of the archive is 50 MB, 10 MB compressed; what is far above is an attack. */
const MAXIMUM_COMPRESSED_BYTES = 128 << 20;
const MAXIMUM_BYTES = 480 << 20;

/**
 * How an index is kept, and read from there. `format` is the version of the kept text; the same index may be kept in
 * several ways.
 */
export interface IndexReader<Index> {
  readonly namespace: string;
  readonly format: number;
  /** What to keep of whole stanzas, each byte of which is one character here. */
  toText(stanzas: string, place: string): string;
  fromText(text: string): Index;
}

/**
 * Reads an index that a verified Release names, such as `main/binary-amd64/Packages`. What was made from it is kept in
 * the store under the digest of the index, so that it is fetched and parsed once.
 */
export async function fetchIndex<Index>(
  verified: VerifiedSuite,
  name: string,
  reader: IndexReader<Index>,
  session: ArchiveSession,
): Promise<Index> {
  const found = COMPRESSIONS.map((form) => ({ ...form, file: verified.release.files.get(name + form.suffix) })).find(
    ({ file }) => file !== undefined,
  );
  if (found?.file === undefined) {
    throw new BuilditError(
      'input-invalid',
      `Cannot read "${name}" of ${verified.suite}: expected it in the index of the suite, found no such entry`,
      { hint: 'check the components and the architecture' },
    );
  }
  const { file, suffix, compression } = found;
  const key = `${file.sha256} ${reader.format}`;
  const kept = await readKept(key, reader, session);
  if (kept !== undefined) return kept;
  const place = `${verified.place.root}/dists/${verified.suite}/${name}${suffix}`;
  const compressed = await download(verified, `${name}${suffix}`, file, session);
  const text = await readStanzas(
    compressed,
    { compression, place, expected: verified.release.files.get(name) },
    reader,
  );
  const { digest } = await putBlob(session.store, Buffer.from(text, 'utf8'));
  await writeNote(session.store, reader.namespace, key, { digest });
  return reader.fromText(text);
}

const isIndexNote = objectOf({ digest: textThat(isDigest) });

async function readKept<Index>(
  key: string,
  reader: IndexReader<Index>,
  { store }: ArchiveSession,
): Promise<Index | undefined> {
  const note = await readNote(store, reader.namespace, key, isIndexNote);
  if (note === undefined) return undefined;
  try {
    return reader.fromText((await readBlob(store, note.digest)).toString('utf8'));
  } catch (error) {
    // Removed or damaged: it is made again.
    if (error instanceof BuilditError) return undefined;
    throw error;
  }
}

/** By its digest first, where it stays while the mirror moves to the next index, then by its name. */
async function download(
  { suite, place, release }: VerifiedSuite,
  name: string,
  file: IndexFile,
  { context, config }: ArchiveSession,
): Promise<Buffer> {
  if (file.size > MAXIMUM_COMPRESSED_BYTES) {
    throw new BuilditError(
      'input-invalid',
      `Cannot read "${name}" of ${suite}: expected a smaller file, found ${file.size} bytes`,
    );
  }
  const directory = `${place.root}/dists/${suite}`;
  const byHash = `${directory}/${name.slice(0, name.lastIndexOf('/'))}/by-hash/SHA256/${file.sha256}`;
  const tried: PlaceTried[] = [];
  for (const url of [...(release.byHash ? [byHash] : []), `${directory}/${name}`]) {
    try {
      const bytes = await downloadBytes(url, {
        signal: context.signal,
        allowHttp: true,
        offline: config.offline,
        pinned: true,
        maximumBytes: file.size,
      });
      requireSame(bytes, file, url);
      return bytes;
    } catch (error) {
      tried.push(placeTried(url, place.kind, error));
    }
  }
  throw new BuilditError(
    commonCode(tried),
    `Cannot fetch "${name}" of ${suite}: expected the file its signed index names, found none`,
    {
      details: triedLines(tried),
      hint: commonHint(tried) ?? 'the mirror may be in the middle of an update: run again in a few minutes',
    },
  );
}

function requireSame(bytes: Uint8Array, file: IndexFile, place: string): void {
  requireFacts({ size: bytes.length, sha256: sha256(bytes) }, file, place);
}

function requireFacts(found: IndexFile, expected: IndexFile, place: string): void {
  if (found.size === expected.size && found.sha256 === expected.sha256) return;
  throw new BuilditError(
    'checksum-mismatch',
    `Cannot use "${place}": expected ${expected.size} bytes with sha256 ${expected.sha256}, found ${found.size} bytes with ${found.sha256}`,
  );
}

interface CompressedIndex {
  readonly compression: Compression;
  readonly place: string;
  /** Of the unpacked index, where the Release names it. */
  readonly expected: IndexFile | undefined;
}

/** What is kept of an index, stanza after stanza as it is unpacked: the whole would be in memory several times. */
async function readStanzas(
  compressed: Buffer,
  { compression, place, expected }: CompressedIndex,
  { toText }: Pick<IndexReader<unknown>, 'toText'>,
): Promise<string> {
  const kept: string[] = [];
  const hash = createHash('sha256');
  let size = 0;
  let rest = '';
  for await (const chunk of decompress(once(compressed), compression, { what: place, maxBytes: MAXIMUM_BYTES })) {
    hash.update(chunk);
    size += chunk.length;
    // Fields that count are ASCII; latin1 is the fastest decoding, and keeps every other byte out of them by its value.
    const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const blank = text.lastIndexOf('\n\n');
    const end = blank < 0 ? 0 : blank + 2;
    kept.push(toText(text.slice(0, end), place));
    rest = text.slice(end);
  }
  if (expected !== undefined) requireFacts({ size, sha256: hash.digest('hex') }, expected, place);
  return [...kept, toText(rest, place)].join('');
}
