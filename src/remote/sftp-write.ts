import { append } from '../model/append.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { SftpClient } from './sftp-client.ts';
import { MESSAGE, text, uint32, uint64 } from './sftp-packet.ts';

/** A file that is open for writing in one session. */
export interface SftpFile {
  readonly client: SftpClient;
  readonly handle: Buffer;
}

export interface SftpWriting {
  readonly offset: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Shared by all files that are written at the same time. */
  readonly budget: ByteBudget;
  /** Opens the file in further sessions. */
  readonly openAgain: () => Promise<readonly SftpFile[]>;
}

/** Everything further than this before the end of an unfinished file has arrived: nothing is sent further ahead. */
export const UNCERTAIN_BYTES = 12 << 20;
/** An answer that takes longer comes from far away, where one session's window would be the limit. */
const FAR_MS = 20;

/**
 * Writes to an opened file without waiting for one answer before the next request, brings it to the disk where the server
 * can, and closes it. Where the server is far away the pieces go over several sessions. Gives the file's size afterwards.
 */
export async function writeSftpFile(
  file: SftpFile,
  { offset, chunks, budget, openAgain }: SftpWriting,
): Promise<number> {
  const lanes = [createLane(file)];
  const underWay = new Map<number, Promise<void>>();
  let widening: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  let position = offset;

  const widenIfFar = (askedAt: number) => {
    if (widening !== undefined || performance.now() - askedAt < FAR_MS) return;
    widening = openAgain().then(
      (others) => {
        append(lanes, others.map(createLane));
      },
      () => {},
    );
  };
  const send = (piece: Uint8Array) => {
    const [lane] = lanes.toSorted((one, other) => one.bytesUnderWay - other.bytesUnderWay);
    const start = position;
    const askedAt = performance.now();
    position += piece.length;
    const answered = lane!
      .write(start, piece)
      .then(
        () => {
          if (underWay.size > 1) widenIfFar(askedAt);
        },
        (error) => {
          failure ??= { error };
        },
      )
      .finally(() => {
        budget.giveBack(piece.length);
        underWay.delete(start);
      });
    underWay.set(start, answered);
  };
  try {
    for await (const piece of inPieces(chunks, file.client.limits.writeBytes)) {
      for (const [start, answered] of underWay) {
        if (position + piece.length - start <= UNCERTAIN_BYTES) break;
        await answered;
      }
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
  await widening;
  const [sizes] = await Promise.all([Promise.allSettled(lanes.map((lane) => lane.finish())), ...underWay.values()]);
  if (failure !== undefined) throw failure.error;
  // Each session answers in order, so the one that sent the end has seen all of the file's length.
  return Math.max(
    ...sizes.map((answer) => {
      if (answer.status === 'rejected') throw answer.reason;
      return answer.value;
    }),
  );
}

function createLane({ client, handle }: SftpFile) {
  const file = text(handle);
  let bytesUnderWay = 0;
  return {
    get bytesUnderWay() {
      return bytesUnderWay;
    },
    async write(position: number, piece: Uint8Array): Promise<void> {
      bytesUnderWay += piece.length;
      try {
        await client.request(MESSAGE.WRITE, file, uint64(position), uint32(piece.length), piece);
      } finally {
        bytesUnderWay -= piece.length;
      }
    },
    /** The server answers in order: none of these need wait for the content. Gives the size that was seen. */
    async finish(): Promise<number> {
      const canFlush = client.offers('fsync@openssh.com');
      const [, measured] = await Promise.all([
        canFlush ? client.request(MESSAGE.EXTENDED, text('fsync@openssh.com'), file) : undefined,
        client.request(MESSAGE.FSTAT, file),
        client.request(MESSAGE.CLOSE, file),
      ]);
      return measured.fields.attributes().size;
    },
  };
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
