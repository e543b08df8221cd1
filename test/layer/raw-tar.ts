import type { TarMember } from '../../src/layer/tar-member.ts';

export interface RawHeader {
  readonly name?: string | Buffer;
  readonly type?: string;
  readonly mode?: string;
  readonly uid?: string | Buffer;
  readonly gid?: string;
  readonly size?: number | string | Buffer;
  readonly mtime?: string | Buffer;
  readonly link?: string | Buffer;
  readonly magic?: string;
  readonly prefix?: string;
  /** Added to the right checksum. */
  readonly checksumError?: number;
}

/** One header block exactly as asked for: nothing is checked, only the checksum is computed. */
export function rawHeader(fields: RawHeader = {}): Buffer {
  const block = Buffer.alloc(512);
  const put = (value: string | Buffer, offset: number) => Buffer.from(value).copy(block, offset);
  put(fields.name ?? 'file', 0);
  put(fields.mode ?? '0000644\0', 100);
  put(fields.uid ?? '0000000\0', 108);
  put(fields.gid ?? '0000000\0', 116);
  const size = fields.size ?? 0;
  put(typeof size === 'number' ? `${size.toString(8).padStart(11, '0')}\0` : size, 124);
  put(fields.mtime ?? '00000000000\0', 136);
  put('        ', 148);
  put(fields.type ?? '0', 156);
  put(fields.link ?? '', 157);
  put(fields.magic ?? 'ustar\x0000', 257);
  put(fields.prefix ?? '', 345);
  const sum = block.reduce((total, byte) => total + byte, 0) + (fields.checksumError ?? 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** A member with content, padded. */
export function rawMember(fields: RawHeader, content: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([rawHeader({ size: bytes.length, ...fields }), bytes, Buffer.alloc(-bytes.length & 511)]);
}

export function rawPax(records: Readonly<Record<string, string | Buffer>>, type = 'x'): Buffer {
  const body = Object.entries(records).map(([keyword, value]) => rawPaxRecord(keyword, value));
  return rawMember({ type, name: 'PaxHeaders/0' }, Buffer.concat(body));
}

export function rawPaxRecord(keyword: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length + 1;
  while (`${length}`.length + rest.length !== length) length += 1;
  return Buffer.concat([Buffer.from(`${length}`), rest]);
}

export const rawEnd = Buffer.alloc(1024);

/** Members, then the two blocks at the end. */
export function rawTar(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([...parts, rawEnd]);
}

/** Hands bytes out in chunks of one size. */
export async function* inChunks(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

export async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** All members with their contents as text. */
export async function collectMembers(
  members: AsyncIterable<TarMember>,
): Promise<(Omit<TarMember, 'content' | 'whole'> & { text: string })[]> {
  const found = [];
  for await (const { content, whole, ...facts } of members) {
    found.push({ ...facts, text: (whole === undefined ? await collect(content) : Buffer.from(whole)).toString() });
  }
  return found;
}
