import type { LayerEntry } from '../model/layer.ts';
import { CAPABILITY_RECORD, capabilityAttribute } from './capability-attribute.ts';
import { BLOCK_SIZE } from './tar-header.ts';

const LARGEST_OCTAL_7 = 0o7777777;
const LARGEST_OCTAL_11 = 0o77777777777;

/**
 * The header blocks of one entry: ustar, with a pax header before it for what ustar cannot hold: names that are too long
 * or not ASCII, ids above 2,097,151, sizes from 8 GiB on, times before 1970 or after 2242, capabilities. The same entry
 * always gives the same bytes. Frozen: every layer's digest depends on it.
 */
export function headerBlocks(entry: LayerEntry): Buffer {
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const link = entry.type === 'symlink' || entry.type === 'hardlink' ? entry.target : '';
  const size = entry.type === 'file' ? entry.size : 0;
  const split = splitName(name);
  const records = [
    // Sorted by keyword.
    entry.gid > LARGEST_OCTAL_7 ? paxRecord('gid', `${entry.gid}`) : '',
    link.length > 100 || !isAscii(link) ? paxRecord('linkpath', link) : '',
    entry.mtime < 0 || entry.mtime > LARGEST_OCTAL_11 ? paxRecord('mtime', `${entry.mtime}`) : '',
    split === undefined ? paxRecord('path', name) : '',
    size > LARGEST_OCTAL_11 ? paxRecord('size', `${size}`) : '',
    entry.uid > LARGEST_OCTAL_7 ? paxRecord('uid', `${entry.uid}`) : '',
  ].join('');
  const header = ustarHeader(TYPE_FLAGS[entry.type], {
    ...(split ?? { prefix: '', name: withinField(name) }),
    link: isAscii(link) ? link.slice(0, 100) : withinField(link),
    mode: entry.mode & 0o7777,
    uid: entry.uid > LARGEST_OCTAL_7 ? 0 : entry.uid,
    gid: entry.gid > LARGEST_OCTAL_7 ? 0 : entry.gid,
    size: size > LARGEST_OCTAL_11 ? 0 : size,
    mtime: entry.mtime < 0 || entry.mtime > LARGEST_OCTAL_11 ? 0 : entry.mtime,
  });
  if (entry.type === 'file' && entry.capabilities !== undefined) {
    // Upper case: the first of the sorted keywords.
    const attribute = binaryPaxRecord(CAPABILITY_RECORD, capabilityAttribute(entry.capabilities));
    return Buffer.concat([paxBlocks(Buffer.concat([attribute, Buffer.from(records)])), header]);
  }
  return records === '' ? header : Buffer.concat([paxBlocks(Buffer.from(records)), header]);
}

const TYPE_FLAGS = { file: '0', hardlink: '1', symlink: '2', directory: '5' } as const;

interface UstarFields {
  readonly prefix: string;
  readonly name: string;
  readonly link: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
}

function paxBlocks(body: Buffer): Buffer {
  const fields = { prefix: '', name: 'pax-header', link: '', mode: 0o644, uid: 0, gid: 0, size: body.length, mtime: 0 };
  const blocks = Buffer.alloc(BLOCK_SIZE + Math.ceil(body.length / BLOCK_SIZE) * BLOCK_SIZE);
  ustarHeader('x', fields).copy(blocks);
  body.copy(blocks, BLOCK_SIZE);
  return blocks;
}

/** POSIX.1-2017 pax, "ustar Interchange Format". Owners have no names here: a name means another id on each system. */
function ustarHeader(typeFlag: string, fields: UstarFields): Buffer {
  const block = Buffer.alloc(BLOCK_SIZE);
  block.write(fields.name, 0, 'latin1');
  block.write(octal(fields.mode, 7), 100, 'latin1');
  block.write(octal(fields.uid, 7), 108, 'latin1');
  block.write(octal(fields.gid, 7), 116, 'latin1');
  block.write(octal(fields.size, 11), 124, 'latin1');
  block.write(octal(fields.mtime, 11), 136, 'latin1');
  block.write('        ', 148, 'latin1');
  block.write(typeFlag, 156, 'latin1');
  block.write(fields.link, 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(octal(0, 7), 329, 'latin1');
  block.write(octal(0, 7), 337, 'latin1');
  block.write(fields.prefix, 345, 'latin1');
  let sum = 0;
  for (let i = 0; i < BLOCK_SIZE; i += 1) sum += block[i]!;
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** The two name fields of ustar: up to 100 bytes, or up to 155 and 100 with a slash between. Undefined: needs pax. */
function splitName(path: string): { prefix: string; name: string } | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= 100) return { prefix: '', name: path };
  if (path.length > 256) return undefined;
  // The last slash that leaves something behind it: a directory's own trailing slash does not count.
  const slash = path.lastIndexOf('/', Math.min(155, path.length - 2));
  if (slash < 1 || path.length - slash - 1 > 100) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** What readers without pax see of a name that needs it. */
function withinField(name: string): string {
  return Buffer.from(name).subarray(0, 100).toString('latin1');
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text);
}

function paxRecord(keyword: string, value: string): string {
  const rest = ` ${keyword}=${value}\n`;
  return `${recordLength(Buffer.byteLength(rest))}${rest}`;
}

function binaryPaxRecord(keyword: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${keyword}=`), value, Buffer.from('\n')]);
  return Buffer.concat([Buffer.from(`${recordLength(rest.length)}`), rest]);
}

/** The length of a record counts the digits of the length too. */
function recordLength(restLength: number): number {
  let length = restLength + 1;
  while (String(length).length + restLength !== length) length = String(length).length + restLength;
  return length;
}
