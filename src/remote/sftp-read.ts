import { type OpenFile, PlaceFault } from './place-files.ts';
import type { SftpAnswer, SftpClient } from './sftp-client.ts';
import { MESSAGE, text, uint32, uint64 } from './sftp-packet.ts';

/** Requests for content under way at the same time. */
const READS_AHEAD = 32;

/** An opened file. Its first piece is asked for together with its size. */
export async function readSftpFile(client: SftpClient, handle: Buffer, offset: number): Promise<OpenFile> {
  const file = text(handle);
  const close = async () => {
    client.request(MESSAGE.CLOSE, file).catch(() => {});
  };
  const ask = (position: number, bytes: number) =>
    client.request(MESSAGE.READ, file, uint64(position), uint32(bytes)).then(contentOf);
  const first = ask(offset, client.limits.readBytes);
  first.catch(() => {});
  try {
    const { kind, size } = (await client.request(MESSAGE.FSTAT, file)).fields.attributes();
    if (kind !== 'file') throw new PlaceFault('kind', 'something that is not a file');
    return {
      size,
      etag: undefined,
      close,
      read: (from, end) =>
        pieces(
          { ask, close, pieceBytes: client.limits.readBytes, first: from === offset ? first : undefined },
          from,
          end,
        ),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Reading {
  readonly ask: (position: number, bytes: number) => Promise<Buffer | undefined>;
  readonly close: () => Promise<void>;
  readonly pieceBytes: number;
  readonly first: Promise<Buffer | undefined> | undefined;
}

async function* pieces({ ask, close, pieceBytes, first }: Reading, from: number, end: number) {
  const ahead: { readonly position: number; readonly bytes: number; readonly answer: Promise<Buffer | undefined> }[] =
    [];
  let next = from;
  const askAhead = () => {
    while (ahead.length < READS_AHEAD && next < end) {
      const bytes = Math.min(pieceBytes, end - next);
      const answer = next === from && first !== undefined ? first : ask(next, bytes);
      answer.catch(() => {});
      ahead.push({ position: next, bytes, answer });
      next += bytes;
    }
  };
  try {
    for (askAhead(); ahead.length > 0; askAhead()) {
      const { position, bytes, answer } = ahead.shift()!;
      // A server may give less than was asked for, in the middle of a file too.
      let content = await answer;
      for (let got = 0; got < bytes; content = await ask(position + got, bytes - got)) {
        if (content === undefined || content.length === 0) return;
        const kept = content.subarray(0, bytes - got);
        got += kept.length;
        yield kept;
        if (got === bytes) break;
      }
    }
  } finally {
    await close();
  }
}

/** Undefined at the end of the file. */
function contentOf({ type, fields }: SftpAnswer): Buffer | undefined {
  return type === MESSAGE.DATA ? fields.bytes() : undefined;
}
