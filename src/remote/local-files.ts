import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, unlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirectory, renameDurably, syncDirectory } from '../system/files.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import { type OpenFile, PlaceFault, type PlaceFaultKind, type PlaceFiles } from './place-files.ts';
import type { RemoteStat } from './remote-place.ts';

const READ_BYTES = 1 << 20;

/** The operations of a directory that is mounted here. */
export function localFiles(root: string): PlaceFiles {
  const at = (path: string) => join(root, path);
  return {
    lstat: (path) => faulted(async () => placeStat(await lstat(at(path)))).catch(missingAsUndefined),
    list: (path) =>
      faulted(async () => {
        const names = await readdir(at(path));
        return Promise.all(names.map(async (name) => ({ name, ...placeStat(await lstat(join(at(path), name))) })));
      }),
    makeDirectory: (path) =>
      faulted(async () => {
        await mkdir(at(path), 0o755);
        await syncDirectory(dirname(at(path)));
      }),
    makeRoot: () => faulted(async () => makeDirectory(root)),
    openFile: (path) => faulted(() => openRegularFile(at(path))),
    write: (path, offset, chunks) => faulted(() => writeChunks(at(path), offset, chunks)),
    link: (from, to) =>
      faulted(async () => {
        await link(at(from), at(to));
        await syncDirectory(dirname(at(to)));
      }),
    rename: (from, to) =>
      faulted(async () => {
        // rename(2) replaces; a hard link does not.
        await link(at(from), at(to));
        await unlink(at(from));
        await syncDirectory(dirname(at(to)));
      }),
    renameOver: (from, to) => faulted(() => renameWithin(at(from), at(to))),
    setTime: (path, seconds) => faulted(() => utimes(at(path), seconds, seconds)),
    remove: (path) => faulted(() => unlink(at(path))),
    close: async () => {},
  };
}

/** File systems without hard links (some network mounts) leave this as the only way. */
async function renameWithin(from: string, to: string): Promise<void> {
  if (dirname(from) === dirname(to)) await renameDurably(from, to);
  else {
    await rename(from, to);
    await syncDirectory(dirname(to));
  }
}

async function openRegularFile(path: string): Promise<OpenFile> {
  // Without NONBLOCK, a fifo would make this wait for a writer for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const found = await file.stat({ bigint: true });
  if (!found.isFile()) {
    await file.close();
    throw new PlaceFault('kind', 'something that is not a file');
  }
  return {
    size: Number(found.size),
    etag: `${found.ino}-${found.size}-${found.mtimeNs}-${found.ctimeNs}`,
    read: (offset, end) => readRange(file, offset, end),
    close: () => file.close(),
  };
}

async function* readRange(file: FileHandle, offset: number, end: number): AsyncGenerator<Uint8Array> {
  try {
    for (let position = offset; position < end; ) {
      const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, end - position));
      const { bytesRead } = await faulted(() => file.read(buffer, 0, buffer.length, position));
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function writeChunks(path: string, offset: number, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const anew = offset === 0 ? constants.O_CREAT | constants.O_EXCL : 0;
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | anew, 0o644);
  try {
    let position = offset;
    for await (const chunk of chunks) {
      for (let done = 0; done < chunk.length; ) {
        const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
        done += bytesWritten;
      }
      position += chunk.length;
    }
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

function placeStat(found: Stats): RemoteStat {
  const kind = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other';
  return { kind, size: found.size, mtime: Math.floor(found.mtimeMs / 1000) };
}

function missingAsUndefined(error: unknown): undefined {
  if (error instanceof PlaceFault && error.kind === 'missing') return undefined;
  throw error;
}

async function faulted<T>(task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const [kind, text] = faults[code] ?? ['other', (error as Error).message];
    throw new PlaceFault(kind, text, error);
  }
}

const faults: Readonly<Record<string, readonly [PlaceFaultKind, string]>> = {
  ENOENT: ['missing', 'nothing there'],
  EEXIST: ['taken', 'something there already'],
  EACCES: ['denied', 'permission denied'],
  EPERM: ['denied', 'operation not permitted'],
  ENOTDIR: ['kind', 'a file where a directory belongs'],
  EISDIR: ['kind', 'a directory where a file belongs'],
  ELOOP: ['kind', 'a symbolic link'],
  ENXIO: ['kind', 'something that is not a file'],
  ENOSPC: ['full', 'no free space'],
  EDQUOT: ['full', 'the quota used up'],
  EROFS: ['read-only', 'a read-only file system'],
  EOPNOTSUPP: ['unsupported', 'no support for that'],
  ENOSYS: ['unsupported', 'no support for that'],
  EMLINK: ['unsupported', 'too many links'],
  ESTALE: ['lost', 'a stale mount'],
};
