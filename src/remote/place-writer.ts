import { randomBytes } from 'node:crypto';
import { isDigest } from '../model/digest.ts';
import { createLimiter } from './create-limiter.ts';
import { createEnsureParents, type EnsureParents } from './ensure-directories.ts';
import { isFault, PlaceFault, type PlaceFiles } from './place-files.ts';
import { placeReader } from './place-reader.ts';
import { type RemoteAttempt, remoteFailure, throwIfStopped } from './remote-failure.ts';
import { checkedRemotePath } from './remote-path.ts';
import type { RemoteContent, RemoteWriter } from './remote-place.ts';
import { UNCERTAIN_BYTES } from './sftp-write.ts';
import { takeName } from './take-name.ts';
import { tryAgain } from './try-again.ts';

const INCOMING = '.incoming';
/** An unfinished upload of less is begun anew: asking how far it came would take longer. */
const RESUMABLE_BYTES = 24 << 20;
/**
 * So much of an unfinished upload is sent again: its last part may have holes (`UNCERTAIN_BYTES`), or have been lost with
 * the power of the other machine.
 */
const REWOUND_BYTES = UNCERTAIN_BYTES + (4 << 20);

export interface PlaceWriterOptions {
  readonly shown: string;
  /** Files written at the same time. */
  readonly atOnce: number;
  /** Tells this user's unfinished uploads from those of others: letters and digits. */
  readonly owner: string;
  /** Of the run; once aborted, every operation ends as `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

/** `RemoteWriter` by the plain file operations of a place. */
export function placeWriter(files: PlaceFiles, { shown, atOnce, owner, signal }: PlaceWriterOptions): RemoteWriter {
  const limit = createLimiter(atOnce);
  const ensureParents = createEnsureParents(files);
  const place: Place = { files, ensureParents, owner };
  let clockAhead: Promise<number> | undefined;

  const doing = async <T>(verb: RemoteAttempt['verb'], path: string, task: () => Promise<T>): Promise<T> => {
    if (verb !== 'list' || path !== '') checkedRemotePath(path);
    try {
      return await task();
    } catch (error) {
      throwIfStopped(signal, { verb, shown, path });
      throw remoteFailure(error, { verb, shown, path });
    }
  };
  const placeTime = async () => {
    clockAhead ??= tryAgain(() => readClock(place)).then((now) => now - Date.now() / 1000);
    return Math.floor(Date.now() / 1000 + (await clockAhead));
  };

  return {
    ...placeReader(files, shown),
    stat: (path) => doing('read', path, () => tryAgain(() => files.lstat(path))),
    list: (path) => doing('list', path, () => tryAgain(() => listSorted(files, path))),
    put: (path, content) =>
      doing('write', path, () =>
        limit(() => {
          throwIfStopped(content.signal, { verb: 'write', shown, path });
          return putUntilDone(place, path, content, () =>
            throwIfStopped(content.signal, { verb: 'write', shown, path }),
          );
        }),
      ),
    create: (path, bytes) =>
      doing('write', path, () => limit(() => withDraft(place, path, bytes, (draft) => takeName(files, draft, path)))),
    replace: (path, bytes) =>
      doing('write', path, () =>
        limit(() => tryAgain(() => withDraft(place, path, bytes, (draft) => files.renameOver(draft, path)))),
      ),
    touch: (path) =>
      doing('write', path, async () => {
        const now = await placeTime();
        await tryAgain(() => files.setTime(path, now));
      }),
    remove: (path) => doing('remove', path, () => limit(() => tryAgain(() => removeIfThere(files, path)))),
    now: () => doing('write', INCOMING, () => tryAgain(() => readClock(place))),
  };
}

interface Place {
  readonly files: PlaceFiles;
  readonly ensureParents: EnsureParents;
  readonly owner: string;
}

async function putUntilDone(place: Place, path: string, content: RemoteContent, goOn: () => void): Promise<void> {
  if (!isDigest(content.digest)) throw new TypeError(`"${content.digest}" is not a digest`);
  let sent = 0;
  await tryAgain(
    () =>
      putOnce(place, path, content, (done) => {
        goOn();
        sent = Math.max(sent, done);
        content.onProgress?.(done);
      }),
    // What is sent again after a break is no progress.
    () => Math.floor(sent / (2 * REWOUND_BYTES)),
  );
}

async function putOnce(place: Place, path: string, content: RemoteContent, sent: OnSent): Promise<void> {
  const parents = place.ensureParents(path);
  parents.catch(() => {});
  const unfinished = await (content.size < RESUMABLE_BYTES ? uploadAnew : uploadOrGoOn)(place, content, sent);
  await parents;
  await publish(place.files, unfinished, path, content.size);
}

type OnSent = (done: number) => void;

/** A name of its own each time, so that nobody else's upload of the same content is in the way. */
async function uploadAnew({ files, ensureParents }: Place, content: RemoteContent, sent: OnSent): Promise<string> {
  const unfinished = `${INCOMING}/${content.digest}-${randomBytes(8).toString('hex')}`;
  await ensureParents(unfinished);
  try {
    refuseOtherSize(await files.write(unfinished, 0, counted(content, 0, sent)), content.size);
  } catch (error) {
    if (!isFault(error, 'lost')) await removeIfThere(files, unfinished).catch(() => {});
    throw error;
  }
  return unfinished;
}

/**
 * One name for each content and user. Two processes of this user may both write to it: each writes the same bytes to the
 * same places, and nobody makes the file shorter.
 */
async function uploadOrGoOn({ files, ensureParents, owner }: Place, content: RemoteContent, sent: OnSent) {
  const unfinished = `${INCOMING}/${content.digest}-${owner}`;
  await ensureParents(unfinished);
  const offset = await offsetToResume(files, unfinished, content.size);
  let size: number;
  try {
    size = await files.write(unfinished, offset, counted(content, offset, sent));
  } catch (error) {
    if (offset > 0 || !isFault(error, 'taken')) throw error;
    return uploadAnew({ files, ensureParents, owner }, content, sent);
  }
  refuseOtherSize(size, content.size);
  return unfinished;
}

function refuseOtherSize(found: number, expected: number): void {
  if (found !== expected) throw new PlaceFault('other', `${found} bytes instead of ${expected}`);
}

/** Not more than what surely arrived; 0 where the upload begins anew. */
async function offsetToResume(files: PlaceFiles, unfinished: string, size: number): Promise<number> {
  const found = await files.lstat(unfinished);
  if (found === undefined) return 0;
  if (found.kind === 'file' && found.size <= size && found.size > REWOUND_BYTES) return found.size - REWOUND_BYTES;
  await removeIfThere(files, unfinished);
  return 0;
}

async function* counted({ from }: RemoteContent, offset: number, sent: OnSent): AsyncGenerator<Uint8Array> {
  let done = offset;
  sent(done);
  for await (const chunk of from(offset)) {
    yield chunk;
    done += chunk.length;
    sent(done);
  }
}

/**
 * Gives a whole upload its name. Where another publisher, or this one before the connection broke, was first, the file
 * is there already; one of another size cannot be what its name says, and is replaced.
 */
async function publish(files: PlaceFiles, unfinished: string, path: string, size: number): Promise<void> {
  try {
    await files.rename(unfinished, path);
  } catch (error) {
    if (!isFault(error, 'taken', 'missing')) throw error;
    const found = await files.lstat(path);
    if (found?.kind === 'file' && found.size === size) await removeIfThere(files, unfinished);
    else if (found?.kind === 'file') await files.renameOver(unfinished, path);
    else if (found !== undefined) throw new PlaceFault('kind', 'something that is not a file');
    else throw error;
  }
}

/** Writes a small file under a name of its own, lets it be used, and removes what is left of it. */
async function withDraft<T>(
  { files, ensureParents }: Place,
  path: string,
  bytes: Uint8Array,
  use: (draft: string) => Promise<T>,
): Promise<T> {
  let draft = '';
  try {
    await tryAgain(async () => {
      draft = `${INCOMING}/draft-${randomBytes(16).toString('hex')}`;
      await Promise.all([ensureParents(path), ensureParents(draft)]);
      refuseOtherSize(await files.write(draft, 0, once(bytes)), bytes.length);
    });
    return await use(draft);
  } finally {
    await removeIfThere(files, draft).catch(() => {});
  }
}

/** A small file is at hand whole. */
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function readClock({ files, ensureParents }: Place): Promise<number> {
  const probe = `${INCOMING}/clock-${randomBytes(16).toString('hex')}`;
  await ensureParents(probe);
  try {
    await files.write(probe, 0, once(new Uint8Array()));
    const found = await files.lstat(probe);
    if (found === undefined) throw new PlaceFault('missing', 'a file that vanished at once');
    return found.mtime;
  } finally {
    await removeIfThere(files, probe).catch(() => {});
  }
}

async function removeIfThere(files: PlaceFiles, path: string): Promise<void> {
  await files.remove(path).catch((error: unknown) => {
    if (!isFault(error, 'missing')) throw error;
  });
}

async function listSorted(files: PlaceFiles, path: string) {
  try {
    const entries = await files.list(path);
    return entries.toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
  } catch (error) {
    if (isFault(error, 'missing')) return [];
    throw error;
  }
}
