import { type Compression, decompress } from '../layer/decompress.ts';
import { once } from '../layer/tar-member.ts';
import { sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { putBlob } from '../store/put-blob.ts';
import { readBlob } from '../store/read-blob.ts';
import { downloadBytes } from '../system/http.ts';
import { type ArchiveSession, commonCode, type PlaceTried, placeTried, triedLines } from './archive-session.ts';
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

/** How the rows made from an index are kept. `format` is their version; the same index may have several kinds of rows. */
export interface IndexReader<Rows> {
  readonly namespace: string;
  readonly format: number;
  parse(bytes: Uint8Array, place: string): Rows;
  toText(rows: Rows): string;
  fromText(text: string): Rows;
}

/**
 * Reads an index that a verified Release names, such as `main/binary-amd64/Packages`. What was made from it is kept in
 * the store under the digest of the index, so that it is fetched and parsed once.
 */
export async function fetchIndex<Rows>(
  verified: VerifiedSuite,
  name: string,
  reader: IndexReader<Rows>,
  session: ArchiveSession,
): Promise<Rows> {
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
  const bytes = await unpack(compressed, compression, place);
  requireSame(bytes, verified.release.files.get(name), place);
  const rows = reader.parse(bytes, place);
  const { digest } = await putBlob(session.store, Buffer.from(reader.toText(rows), 'utf8'));
  await writeNote(session.store, reader.namespace, key, { digest });
  return rows;
}

async function readKept<Rows>(
  key: string,
  reader: IndexReader<Rows>,
  { store }: ArchiveSession,
): Promise<Rows | undefined> {
  const note = (await readNote(store, reader.namespace, key)) as { digest: string } | undefined;
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
      hint: 'the mirror may be in the middle of an update: run again in a few minutes',
    },
  );
}

function requireSame(bytes: Uint8Array, file: IndexFile | undefined, place: string): void {
  if (file === undefined || (bytes.length === file.size && sha256(bytes) === file.sha256)) return;
  throw new BuilditError(
    'checksum-mismatch',
    `Cannot use "${place}": expected ${file.size} bytes with sha256 ${file.sha256}, found ${bytes.length} bytes with ${sha256(bytes)}`,
  );
}

async function unpack(compressed: Buffer, compression: Compression, place: string): Promise<Uint8Array> {
  if (compression === 'none') return compressed;
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompress(once(compressed), compression, { what: place, maxBytes: MAXIMUM_BYTES })) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
