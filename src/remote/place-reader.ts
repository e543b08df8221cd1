import { isFault, type OpenFile, type PlaceFiles } from './place-files.ts';
import { longerThanAllowed, type RemoteAttempt, remoteFailure, throwIfStopped } from './remote-failure.ts';
import { checkedRemotePath } from './remote-path.ts';
import type { RemoteFile, RemoteOpenOptions, RemoteReader, RemoteReadOptions } from './remote-place.ts';
import { tryAgain } from './try-again.ts';

/** Reading from a place by its plain file operations. */
export function placeReader(files: PlaceFiles, shown: string): RemoteReader {
  return {
    shown,
    read: (path, options) => readWhole({ files, shown, path: checkedRemotePath(path) }, options),
    open: (path, options) => openRange({ files, shown, path: checkedRemotePath(path) }, options),
    close: () => files.close(),
  };
}

interface Place {
  readonly files: PlaceFiles;
  readonly shown: string;
  readonly path: string;
}

async function readWhole(
  place: Place,
  { maximumBytes, etag, signal }: RemoteReadOptions,
): Promise<RemoteFile | 'missing' | 'unchanged'> {
  const attempt: RemoteAttempt = { verb: 'read', shown: place.shown, path: place.path };
  throwIfStopped(signal, attempt);
  try {
    return await tryAgain(async () => {
      const file = await place.files.openFile(place.path, 0);
      if (etag !== undefined && file.etag === etag) {
        await file.close();
        return 'unchanged';
      }
      if (file.size > maximumBytes) {
        await file.close();
        throw longerThanAllowed(place.shown, place.path, maximumBytes);
      }
      const chunks: Uint8Array[] = [];
      let length = 0;
      for await (const chunk of file.read(0, maximumBytes + 1)) {
        throwIfStopped(signal, attempt);
        length += chunk.length;
        if (length > maximumBytes) throw longerThanAllowed(place.shown, place.path, maximumBytes);
        chunks.push(chunk);
      }
      return { bytes: Buffer.concat(chunks), etag: file.etag };
    });
  } catch (error) {
    if (isFault(error, 'missing')) return 'missing';
    throw remoteFailure(error, attempt);
  }
}

async function openRange(
  place: Place,
  { offset, size, signal }: RemoteOpenOptions,
): Promise<AsyncIterable<Uint8Array> | 'missing'> {
  const attempt: RemoteAttempt = { verb: 'read', shown: place.shown, path: place.path };
  throwIfStopped(signal, attempt);
  const end = offset + size;
  try {
    const file = await tryAgain(() => openBounded(place, offset, end));
    return goingOn(place, file, { offset, end, attempt, signal });
  } catch (error) {
    if (isFault(error, 'missing')) return 'missing';
    throw remoteFailure(error, attempt);
  }
}

async function openBounded(place: Place, offset: number, end: number): Promise<OpenFile> {
  const file = await place.files.openFile(place.path, offset);
  if (file.size <= end) return file;
  await file.close();
  throw longerThanAllowed(place.shown, place.path, end);
}

/** The bytes as they come; where the connection breaks, the file is opened again and the rest follows. */
async function* goingOn(
  place: Place,
  first: OpenFile,
  {
    offset,
    end,
    attempt,
    signal,
  }: { offset: number; end: number; attempt: RemoteAttempt; signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  let position = offset;
  let positionAtBreak = -1;
  let file = first;
  for (;;) {
    try {
      for await (const chunk of file.read(position, end)) {
        throwIfStopped(signal, attempt);
        position += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      if (!isFault(error, 'lost') || position === positionAtBreak) throw remoteFailure(error, attempt);
      positionAtBreak = position;
    }
    try {
      file = await tryAgain(() => openBounded(place, position, end));
    } catch (error) {
      throw remoteFailure(error, attempt);
    }
  }
}
