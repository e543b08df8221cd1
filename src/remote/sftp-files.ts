import { posix } from 'node:path';
import { append } from '../model/append.ts';
import { withoutTrailing } from '../model/without-trailing.ts';
import { createByteBudget } from './byte-budget.ts';
import { creatingFault, isFault, type OpenFile, PlaceFault, type PlaceFiles } from './place-files.ts';
import type { RemoteStat } from './remote-place.ts';
import type { SftpClient } from './sftp-client.ts';
import { type FieldReader, MESSAGE, modeAttributes, OPEN_FLAG, text, timeAttributes, uint32 } from './sftp-packet.ts';
import { readSftpFile } from './sftp-read.ts';
import type { SftpSessions } from './sftp-sessions.ts';
import { type SftpFile, writeSftpFile } from './sftp-write.ts';

/** Content under way at the same time, over all sessions of a place: 64 requests of OpenSSH's largest size. */
const BYTES_UNDER_WAY = 16 << 20;
/** A directory with more entries is a fault of the server. */
const MOST_ENTRIES = 2_000_000;
/** Requests for the next names of a directory under way at the same time. */
const LIST_REQUESTS = 8;

/**
 * The operations of a directory behind SFTP. `root` is relative to where the server starts, or absolute; `''` is where it
 * starts.
 */
export function sftpFiles(sessions: SftpSessions, root: string): PlaceFiles {
  const budget = createByteBudget(BYTES_UNDER_WAY);
  const at = (path: string) => remotePath(root, path);
  const using = async <T>(task: (client: SftpClient) => Promise<T>): Promise<T> => {
    try {
      return await task(await sessions.use());
    } catch (error) {
      if (error instanceof RangeError) throw new PlaceFault('other', 'an answer that is not SFTP', error);
      throw error;
    }
  };

  return {
    lstat: (path) => using((client) => lstat(client, at(path))),
    list: (path) => using((client) => listDirectory(client, at(path))),
    makeDirectory: (path) => using((client) => orTaken(client, at(path), makeDirectory(client, at(path)))),
    makeRoot: () => using((client) => makeRoot(client, root)),
    openFile: (path, offset) => using((client) => openForReading(client, at(path), offset)),
    write: (path, offset, chunks) =>
      using(async (client) => {
        const flags = OPEN_FLAG.WRITE | (offset === 0 ? OPEN_FLAG.CREATE | OPEN_FLAG.EXCLUSIVE : 0);
        const opening = open(client, at(path), flags);
        const handle = await (offset === 0 ? orTaken(client, at(path), opening) : opening);
        const file = { client, handle };
        return writeSftpFile(file, {
          offset,
          chunks,
          budget,
          openAgain: () => openAgain(sessions, file, at(path)),
        }).catch((error) => explained(client, at(path), error));
      }),
    link: (from, to) => using((client) => hardLink(client, at(from), at(to))),
    rename: (from, to) =>
      using((client) => orTaken(client, at(to), done(client.request(MESSAGE.RENAME, text(at(from)), text(at(to)))))),
    renameOver: (from, to) => using((client) => renameOver(client, at(from), at(to))),
    setTime: (path, seconds) =>
      using((client) => done(client.request(MESSAGE.SETSTAT, text(at(path)), timeAttributes(seconds)))),
    remove: (path) => using((client) => done(client.request(MESSAGE.REMOVE, text(at(path))))),
    close: async () => sessions.close(),
  };
}

function remotePath(root: string, path: string): string {
  if (path === '') return root === '' ? '.' : root;
  return root === '' ? path : `${withoutTrailing(root, '/')}/${path}`;
}

async function done(request: Promise<unknown>): Promise<void> {
  await request;
}

async function lstat(client: SftpClient, path: string): Promise<RemoteStat | undefined> {
  try {
    const { fields } = await client.request(MESSAGE.LSTAT, text(path));
    return fields.attributes();
  } catch (error) {
    if (isFault(error, 'missing')) return undefined;
    throw error;
  }
}

function makeDirectory(client: SftpClient, path: string): Promise<void> {
  return done(client.request(MESSAGE.MKDIR, text(path), modeAttributes(0o755)));
}

/** Tries every parent: a server may let nobody look at those that are there. */
async function makeRoot(client: SftpClient, root: string): Promise<void> {
  const elements = root.split('/');
  const refused: { readonly path: string; readonly error: unknown }[] = [];
  for (const [index, element] of elements.entries()) {
    if (element === '') continue;
    const path = elements.slice(0, index + 1).join('/');
    await makeDirectory(client, path).catch((error: unknown) => {
      if (isFault(error, 'lost')) throw error;
      refused.push({ path, error });
    });
  }
  if (refused.at(-1)?.path === root) await explainRefusal(client, root, refused);
}

/** The first parent that is not there is the one whose refusal matters; nothing where the directory is there by now. */
async function explainRefusal(
  client: SftpClient,
  root: string,
  refused: readonly { readonly path: string; readonly error: unknown }[],
): Promise<void> {
  for (const { path, error } of refused) {
    const directory = posix.relative(`/${root}`, `/${path}`);
    const found = await targetOf(client, path);
    if (found === 'missing') await explained(client, path, error).catch((reason) => rethrow(reason, directory));
    if (found === 'file') rethrow(new PlaceFault('kind', 'a file where a directory belongs', error), directory);
  }
}

function rethrow(error: unknown, directory: string): never {
  throw creatingFault(error, directory);
}

/** What a path leads to, links followed; `other` where the server does not tell. */
async function targetOf(client: SftpClient, path: string): Promise<RemoteStat['kind'] | 'missing'> {
  try {
    const { fields } = await client.request(MESSAGE.STAT, text(path));
    return fields.attributes().kind;
  } catch (error) {
    if (isFault(error, 'lost')) throw error;
    return isFault(error, 'missing') ? 'missing' : 'other';
  }
}

async function open(client: SftpClient, path: string, flags: number): Promise<Buffer> {
  const { type, fields } = await client.request(MESSAGE.OPEN, text(path), uint32(flags), modeAttributes(0o644));
  if (type !== MESSAGE.HANDLE) throw new PlaceFault('other', 'an answer that is not SFTP');
  return fields.bytes();
}

/** The same file in the other sessions; as many as can be had. */
async function openAgain(sessions: SftpSessions, { client }: SftpFile, path: string): Promise<readonly SftpFile[]> {
  const others = await sessions.beside(client);
  const opened = await Promise.allSettled(
    others.map(async (other) => ({ client: other, handle: await open(other, path, OPEN_FLAG.WRITE) })),
  );
  return opened.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

async function openForReading(client: SftpClient, path: string, offset: number): Promise<OpenFile> {
  const handle = await open(client, path, OPEN_FLAG.READ);
  return readSftpFile(client, handle, offset);
}

/** SFTP has one status for everything: whether a name was taken is seen by looking. */
async function orTaken<T>(client: SftpClient, path: string, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (!isFault(error, 'other', 'denied')) throw error;
    if ((await lstat(client, path)) !== undefined) throw new PlaceFault('taken', 'something there already', error);
    return explained(client, path, error);
  }
}

async function hardLink(client: SftpClient, from: string, to: string): Promise<void> {
  if (!client.offers('hardlink@openssh.com')) throw new PlaceFault('unsupported', 'a server without hard links');
  try {
    await orTaken(
      client,
      to,
      done(client.request(MESSAGE.EXTENDED, text('hardlink@openssh.com'), text(from), text(to))),
    );
  } catch (error) {
    // The server has the extension, its file system may still lack the links.
    if (isFault(error, 'other', 'denied')) throw new PlaceFault('unsupported', error.message, error);
    throw error;
  }
}

async function renameOver(client: SftpClient, from: string, to: string): Promise<void> {
  if (client.offers('posix-rename@openssh.com')) {
    await done(client.request(MESSAGE.EXTENDED, text('posix-rename@openssh.com'), text(from), text(to)));
    return;
  }
  await client.request(MESSAGE.REMOVE, text(to)).catch((error: unknown) => {
    if (!isFault(error, 'missing')) throw error;
  });
  await client.request(MESSAGE.RENAME, text(from), text(to));
}

async function listDirectory(client: SftpClient, path: string) {
  const { fields } = await client.request(MESSAGE.OPENDIR, text(path));
  const handle = text(fields.bytes());
  const entries: ({ readonly name: string } & RemoteStat)[] = [];
  try {
    for (let atEnd = false; !atEnd; ) {
      const asked = Array.from({ length: entries.length === 0 ? 2 : LIST_REQUESTS }, () =>
        client.request(MESSAGE.READDIR, handle),
      );
      for (const answer of await Promise.all(asked)) {
        if (answer.type !== MESSAGE.NAME) atEnd = true;
        else append(entries, namesIn(answer.fields));
      }
      if (entries.length > MOST_ENTRIES) throw new PlaceFault('other', 'a directory without an end');
    }
  } finally {
    client.request(MESSAGE.CLOSE, handle).catch(() => {});
  }
  return entries.filter(({ name }) => name !== '.' && name !== '..');
}

function namesIn(fields: FieldReader) {
  return Array.from({ length: Math.min(fields.uint32(), 100_000) }, () => {
    const name = fields.bytes().toString();
    // The second is the same for people.
    fields.bytes();
    return { name, ...fields.attributes() };
  });
}

/** Finds out why a write failed, since the status does not tell: statvfs@openssh.com says what is free. */
async function explained(client: SftpClient, path: string, error: unknown): Promise<never> {
  if (!isFault(error, 'other') || !client.offers('statvfs@openssh.com')) throw error;
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : '.';
  const space = await client
    .request(MESSAGE.EXTENDED, text('statvfs@openssh.com'), text(parent))
    .then(({ fields }) => readSpace(fields))
    .catch(() => undefined);
  if (space?.isReadOnly === true) throw new PlaceFault('read-only', 'a read-only file system', error);
  if (space?.isFull === true) throw new PlaceFault('full', 'no free space', error);
  throw error;
}

/** Fewer bytes than this are none. */
const NO_SPACE_BYTES = 1 << 20;

/** PROTOCOL of OpenSSH, section 4.4. */
function readSpace(fields: FieldReader): { readonly isFull: boolean; readonly isReadOnly: boolean } {
  fields.uint64();
  const blockBytes = fields.uint64();
  for (let skipped = 0; skipped < 2; skipped += 1) fields.uint64();
  const available = fields.uint64();
  fields.uint64();
  fields.uint64();
  const files = fields.uint64();
  // The file system's number, of any size.
  fields.uint32();
  fields.uint32();
  const flags = fields.uint64();
  return { isFull: available * blockBytes < NO_SPACE_BYTES || files === 0, isReadOnly: (flags & 1) === 1 };
}
