import type { ByteBudget } from './byte-budget.ts';
import type { SftpClient } from './sftp-client.ts';
import { MESSAGE, text, uint32, uint64 } from './sftp-packet.ts';

export interface SftpWriting {
  readonly offset: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Shared by all files that are written at the same time. */
  readonly budget: ByteBudget;
}

/**
 * Writes to an opened file without waiting for one answer before the next request, brings it to the disk where the server
 * can, and closes it. Gives its size afterwards.
 */
export async function writeSftpFile(
  client: SftpClient,
  handle: Buffer,
  { offset, chunks, budget }: SftpWriting,
): Promise<number> {
  const file = text(handle);
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let position = offset;

  const send = (piece: Uint8Array) => {
    const request = client.request(MESSAGE.WRITE, file, uint64(position), uint32(piece.length), piece);
    position += piece.length;
    const answered: Promise<void> = request
      .then(
        () => {},
        (error) => {
          failure ??= { error };
        },
      )
      .finally(() => {
        budget.giveBack(piece.length);
        underWay.delete(answered);
      });
    underWay.add(answered);
  };
  try {
    for await (const piece of inPieces(chunks, client.limits.writeBytes)) {
      await budget.take(piece.length);
      if (failure !== undefined) {
        budget.giveBack(piece.length);
        break;
      }
      send(piece);
    }
  } catch (error) {
    failure ??= { error };
  }
  // The server answers in order: these need not wait for the content.
  const flushed = client.offers('fsync@openssh.com')
    ? client.request(MESSAGE.EXTENDED, text('fsync@openssh.com'), file)
    : undefined;
  const measured = client.request(MESSAGE.FSTAT, file);
  const closed = client.request(MESSAGE.CLOSE, file);
  const answers = await Promise.allSettled([...underWay, flushed, measured, closed]);
  const refused = answers.find((answer) => answer.status === 'rejected');
  if (failure !== undefined) throw failure.error;
  if (refused !== undefined) throw refused.reason;
  return (await measured).fields.attributes().size;
}

/** The same bytes in pieces of the largest size that the server takes; small chunks are put together. */
async function* inPieces(chunks: AsyncIterable<Uint8Array>, pieceBytes: number): AsyncGenerator<Uint8Array> {
  let kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; ) {
      const part = chunk.subarray(start, start + pieceBytes - length);
      start += part.length;
      length += part.length;
      kept.push(part);
      if (length < pieceBytes) continue;
      yield kept.length === 1 ? kept[0]! : Buffer.concat(kept);
      kept = [];
      length = 0;
    }
  }
  if (length > 0) yield kept.length === 1 ? kept[0]! : Buffer.concat(kept);
}
