import type { Capability } from '../model/capability.ts';
import { CAPABILITY_RECORD, parseCapabilityAttribute } from './capability-attribute.ts';
import { TarHeaderFault } from './tar-header.ts';

/** The extended header records that buildit acts on; numbers are whole seconds, ids and bytes. */
export interface PaxRecords {
  readonly path?: Buffer;
  readonly linkPath?: Buffer;
  readonly size?: number;
  readonly mtime?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly capabilities?: readonly Capability[];
}

export interface PaxOptions {
  /** The capabilities of files count. */
  readonly capabilities?: boolean;
  /** Names may be declared to be bytes of no known encoding. */
  readonly binaryNames?: boolean;
}

/**
 * Reads the records of a pax extended header (POSIX.1-2017 pax, "pax Extended Header"). Unknown keywords are left out,
 * as POSIX demands; so are extended attributes (SCHILY.xattr, LIBARCHIVE.xattr and their kin): no archive from elsewhere
 * gives a file an attribute, and those made on a Mac or under SELinux are full of them. The one exception are capabilities
 * where they are asked for. Sparse files are refused, because their content is not the file's bytes; a keyword that is
 * given twice, because readers disagree on which one counts.
 */
export function parsePaxRecords(
  block: Buffer,
  { capabilities = false, binaryNames = false }: PaxOptions = {},
): PaxRecords {
  const records: { -readonly [Key in keyof PaxRecords]: PaxRecords[Key] } = {};
  const seen = new Set<string>();
  for (let offset = 0; offset < block.length; ) {
    const record = recordAt(block, offset);
    offset = record.end;
    const { keyword, value } = record;
    if (keyword.startsWith('GNU.sparse.')) throw new TarHeaderFault('a file stored whole', 'a sparse one');
    if (!RELEVANT.has(keyword) && !(capabilities && keyword === CAPABILITY_RECORD)) continue;
    if (seen.has(keyword)) throw new TarHeaderFault(`one pax record ${keyword}`, 'two');
    seen.add(keyword);
    // An empty value takes a record of a global header back (POSIX); those that matter are not accepted there.
    if (value.length === 0) throw new TarHeaderFault(`a value of the pax record ${keyword}`, 'none');
    switch (keyword) {
      case 'path':
        records.path = nameOf(value, keyword);
        break;
      case 'linkpath':
        records.linkPath = nameOf(value, keyword);
        break;
      case 'size':
      case 'uid':
      case 'gid':
        records[keyword] = wholeNumber(value, keyword);
        break;
      case 'mtime':
        records.mtime = seconds(value);
        break;
      case CAPABILITY_RECORD:
        records.capabilities = capabilitiesOf(value);
        break;
      case 'hdrcharset':
        // POSIX names two: UTF-8 by its ISO registration, and BINARY for names without a known encoding.
        if (!isKnownCharset(value.toString('latin1'), binaryNames)) {
          throw new TarHeaderFault('names in UTF-8', `the character set ${value.toString('latin1', 0, 60)}`);
        }
    }
  }
  return records;
}

function isKnownCharset(charset: string, binaryNames: boolean): boolean {
  return charset === 'ISO-IR 10646 2000 UTF-8' || (binaryNames && charset === 'BINARY');
}

const RELEVANT = new Set(['path', 'linkpath', 'size', 'mtime', 'uid', 'gid', 'hdrcharset']);

/** `LENGTH KEYWORD=VALUE\n`, LENGTH decimal and counting the whole record. */
function recordAt(block: Buffer, start: number): { keyword: string; value: Buffer; end: number } {
  const space = block.indexOf(0x20, start);
  const lengthText = space < 0 || space - start > 10 ? '' : block.toString('latin1', start, space);
  const end = start + Number(lengthText);
  const equals = block.indexOf(0x3d, space);
  const isRecord = /^[1-9][0-9]*$/.test(lengthText) && end <= block.length && equals > space + 1 && equals < end - 1;
  if (!isRecord || block[end - 1] !== 0x0a) {
    throw new TarHeaderFault(
      'pax records whose lengths are right',
      JSON.stringify(block.toString('latin1', start, start + 40)),
    );
  }
  return { keyword: block.toString('utf8', space + 1, equals), value: block.subarray(equals + 1, end - 1), end };
}

function nameOf(value: Buffer, keyword: string): Buffer {
  if (value.includes(0)) throw new TarHeaderFault(`a ${keyword} without NUL`, 'one with it');
  return value;
}

function capabilitiesOf(value: Buffer): readonly Capability[] {
  const capabilities = parseCapabilityAttribute(value);
  if (capabilities !== undefined) return capabilities;
  throw new TarHeaderFault('capabilities of revision 2 that are effective', value.toString('hex', 0, 40));
}

function wholeNumber(value: Buffer, keyword: string): number {
  const text = value.toString('latin1');
  const number = Number(text);
  if (!/^[0-9]{1,16}$/.test(text) || !Number.isSafeInteger(number)) {
    throw new TarHeaderFault(`a whole number as ${keyword}`, JSON.stringify(text.slice(0, 40)));
  }
  return number;
}

/** Fractions are cut off towards the past, as `stat` shows them. */
function seconds(value: Buffer): number {
  const text = value.toString('latin1');
  const number = Math.floor(Number(text));
  if (!/^-?[0-9]{1,16}(\.[0-9]*)?$/.test(text) || !Number.isSafeInteger(number)) {
    throw new TarHeaderFault('seconds as mtime', JSON.stringify(text.slice(0, 40)));
  }
  return number;
}
