import { shownName } from './byte-names.ts';
import { TarHeaderFault } from './tar-header.ts';

const ZIP64 = 0x0001;
const UNICODE_PATH = 0x7075;
/** Version and CRC of the name that it stands for come before the name (APPNOTE 4.6.9). */
const UNICODE_PATH_BYTES = 5;
const MARK = 0xffffffff;

export interface ExtraSizes {
  readonly bytes: number;
  readonly packedBytes: number;
  readonly localOffset?: number;
}

/**
 * Reads what extra fields say of a member (APPNOTE 4.5): the numbers of zip64, in this order, in place of those that are
 * marked by 0xffffffff. A field that names another path is refused: some programs unpack that one.
 *
 * @throws TarHeaderFault
 */
export function readExtraFields(extra: Buffer, name: Buffer, sizes: ExtraSizes): ExtraSizes {
  let zip64: Buffer | undefined;
  // Less than a field's header is the filling that aligns what follows.
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) throw new TarHeaderFault('whole extra fields', 'one that is cut off');
    const body = extra.subarray(at + 4, end);
    switch (extra.readUInt16LE(at)) {
      case ZIP64:
        if (zip64 !== undefined) throw new TarHeaderFault('the sizes of zip64 once', 'two of them');
        zip64 = body;
        break;
      case UNICODE_PATH: {
        const other = body.subarray(UNICODE_PATH_BYTES);
        if (!other.equals(name)) {
          throw new TarHeaderFault('one name', `also "${shownName(other)}" in an extra field`);
        }
      }
    }
    at = end;
  }
  return zip64 === undefined ? unmarked(sizes) : withZip64(sizes, zip64);
}

/** A size that fills its field is a mark for zip64, and nothing else. */
function unmarked(sizes: ExtraSizes): ExtraSizes {
  if (Object.values(sizes).includes(MARK)) throw new TarHeaderFault('the sizes of zip64', 'none');
  return sizes;
}

function withZip64(sizes: ExtraSizes, field: Buffer): ExtraSizes {
  let at = 0;
  const large = (value: number) => {
    if (value !== MARK) return value;
    if (at + 8 > field.length) throw new TarHeaderFault('the sizes of zip64', 'fewer of them');
    const number = Number(field.readBigUInt64LE(at));
    at += 8;
    if (!Number.isSafeInteger(number)) throw new TarHeaderFault('a size below 2^53', 'a larger one');
    return number;
  };
  const [bytes, packedBytes] = [large(sizes.bytes), large(sizes.packedBytes)];
  return sizes.localOffset === undefined
    ? { bytes, packedBytes }
    : { bytes, packedBytes, localOffset: large(sizes.localOffset) };
}
