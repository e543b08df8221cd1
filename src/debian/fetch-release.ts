import type { PublicKey } from 'openpgp';
import { isDigest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { isNumber, isText, nullable, objectOf, textThat } from '../model/json-shape.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { putBlob } from '../store/put-blob.ts';
import { readBlob } from '../store/read-blob.ts';
import { type DownloadOptions, openDownload } from '../system/http.ts';
import { loadArchiveKeys } from './archive-keys.ts';
import { type ArchivePlace, archivePlaces } from './archive-places.ts';
import {
  type ArchiveSession,
  commonCode,
  commonHint,
  type PlaceTried,
  patience,
  placeTried,
  triedLines,
} from './archive-session.ts';
import { isoDate, parseRelease, type Release, requireSuite } from './release.ts';
import { verifyInRelease } from './verify-in-release.ts';

/** A suite whose index was verified, and the place that has it. */
export interface VerifiedSuite {
  readonly suite: string;
  readonly place: ArchivePlace;
  readonly release: Release;
}

/** An index is a few hundred kilobytes; 16 times the largest one known. */
const MAXIMUM_IN_RELEASE_BYTES = 8 << 20;
const NOTES = 'debian-in-release';

/**
 * Finds a suite in the first place that has it with a valid signature, the right name, a time that is not over, and a
 * date that is not older than what this store has seen there before.
 */
export async function fetchRelease(suite: string, asOfMs: number, session: ArchiveSession): Promise<VerifiedSuite> {
  const keys = session.keys ?? (await loadArchiveKeys());
  const tried: PlaceTried[] = [];
  for (const place of archivePlaces(suite, session.config, asOfMs, session.surroundings)) {
    const url = `${place.root}/dists/${suite}/InRelease`;
    try {
      const release = await releaseAt(url, suite, place, keys, session, patience(place.kind, tried));
      if (release !== undefined) return { suite, place, release };
      tried.push({
        url,
        kind: place.kind,
        answer: 'not fetched before, and --offline',
        isAbsent: false,
        code: 'offline',
      });
    } catch (error) {
      tried.push(placeTried(url, place.kind, error));
    }
  }
  throw unreachable(suite, tried, session.config.offline);
}

async function releaseAt(
  url: string,
  suite: string,
  place: ArchivePlace,
  keys: readonly PublicKey[],
  session: ArchiveSession,
  options: DownloadOptions,
): Promise<Release | undefined> {
  const known = await readKnown(url, session);
  const fetched = session.config.offline ? known : await downloadUnlessKnown(url, known, session, options);
  if (fetched === undefined) return undefined;
  const release = parseRelease(await verifyInRelease(fetched.bytes, keys, url), url);
  requireSuite(release, suite, place.asOfMs ?? (session.now ?? Date.now)(), url);
  if (known !== undefined && release.dateMs < known.dateMs) {
    throw new BuilditError(
      'signature-invalid',
      `Cannot use "${url}": expected an index not older than ${isoDate(known.dateMs)}, which was there before, found one of ${isoDate(release.dateMs)}`,
    );
  }
  if (fetched !== known) await remember(url, fetched, release.dateMs, session);
  return release;
}

/** What is not verified is never remembered. */
async function remember(
  url: string,
  { bytes, etag }: FetchedInRelease,
  dateMs: number,
  { store }: ArchiveSession,
): Promise<void> {
  const { digest } = await putBlob(store, bytes);
  await writeNote(store, NOTES, url, { digest, etag: etag ?? null, dateMs });
}

interface FetchedInRelease {
  readonly bytes: Uint8Array;
  readonly etag: string | undefined;
}

interface KnownInRelease extends FetchedInRelease {
  readonly dateMs: number;
}

const isReleaseNote = objectOf({ digest: textThat(isDigest), etag: nullable(isText), dateMs: isNumber });

async function readKnown(url: string, { store }: ArchiveSession): Promise<KnownInRelease | undefined> {
  const note = await readNote(store, NOTES, url, isReleaseNote);
  if (note === undefined) return undefined;
  try {
    const bytes = await readBlob(store, note.digest, { maxBytes: MAXIMUM_IN_RELEASE_BYTES });
    return { bytes, etag: note.etag ?? undefined, dateMs: note.dateMs };
  } catch {
    return undefined;
  }
}

async function downloadUnlessKnown(
  url: string,
  known: KnownInRelease | undefined,
  { context }: ArchiveSession,
  options: DownloadOptions,
): Promise<FetchedInRelease> {
  const download = await openDownload(url, {
    ...options,
    signal: context.signal,
    allowHttp: true,
    maximumBytes: MAXIMUM_IN_RELEASE_BYTES,
    headers: known?.etag === undefined ? {} : { 'if-none-match': known.etag },
  });
  if (download.status === 304 && known !== undefined) return known;
  const chunks: Uint8Array[] = [];
  for await (const chunk of download.body) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), etag: download.etag };
}

function unreachable(suite: string, tried: readonly PlaceTried[], offline: boolean): BuilditError {
  return new BuilditError(
    commonCode(tried),
    `Cannot find the Debian suite "${suite}": expected one of ${tried.length} places to have it, found none`,
    {
      details: triedLines(tried),
      hint: offline
        ? 'run once without --offline; what was fetched is kept in the store'
        : (commonHint(tried) ??
          'check the network (behind a proxy set HTTP_PROXY and HTTPS_PROXY), or name a mirror as debian.mirror in the configuration'),
    },
  );
}
