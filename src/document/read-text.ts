import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { BuilditError, type ErrorCode } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Witness } from '../system/witness.ts';
import { systemErrorCode } from '../system/write-failure.ts';
import { createDocumentText } from './document-text.ts';
import type { DocumentText } from './yaml-node.ts';

export interface ReadTextOptions {
  /** How messages call the file. */
  readonly name: string;
  readonly maximumBytes: number;
  readonly code: ErrorCode;
  readonly witness?: Witness | undefined;
}

/**
 * Reads a text file that a person wrote: a regular file (never a fifo, a device or, at its last element, a link), of
 * limited size, in UTF-8 without a byte order mark and without control characters.
 */
export async function readText(path: string, options: ReadTextOptions): Promise<DocumentText> {
  const bytes = await readBytes(path, options);
  const shown = printable(options.name);
  const refuse = (found: string, hint: string | undefined, line = 1): never => {
    const position = { file: options.name, line, column: 1 };
    throw new BuilditError(options.code, `Cannot read "${shown}": expected UTF-8 text, found ${found}`, {
      hint,
      position,
    });
  };
  if (bytes.length >= 2 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))) {
    refuse('UTF-16', `convert it: iconv -f UTF-16 -t UTF-8 ${shown}`);
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    refuse('a byte order mark', 'save the file as "UTF-8 without BOM"');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('bytes that are not UTF-8', undefined);
  }
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  if (control !== null) {
    const line = text.slice(0, control.index).split('\n').length;
    refuse(`the control character ${printable(control[0])}`, undefined, line);
  }
  return createDocumentText(options.name, path, text);
}

/**
 * Reads a regular file of limited size. Opening cannot block (a fifo) and does not follow a link at the last element:
 * callers resolve links first, see `resolveInside`.
 */
export async function readBytes(path: string, { name, maximumBytes, code, witness }: ReadTextOptions): Promise<Buffer> {
  const shown = printable(name);
  const position = { file: name, line: 1, column: 1 };
  const file = open();
  try {
    const status = fstatSync(file);
    if (!status.isFile()) {
      const found = status.isDirectory() ? 'a directory' : 'a device, a pipe or a socket';
      throw new BuilditError(code, `Cannot read "${shown}": expected a regular file, found ${found}`, { position });
    }
    witness?.read(path);
    if (status.size > maximumBytes) throw tooLarge(status.size);
    // One byte more than the file should have tells whether it has grown meanwhile.
    let buffer = Buffer.allocUnsafe(status.size + 1);
    let length = 0;
    while (length <= maximumBytes) {
      const bytesRead = readSync(file, buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * length, maximumBytes + 1) + 1);
    }
    if (length > maximumBytes) throw tooLarge(length);
    return buffer.subarray(0, length);
  } finally {
    closeSync(file);
  }

  function open(): number {
    try {
      return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    } catch (cause) {
      const errno = systemErrorCode(cause);
      if (errno === 'ENOENT' || errno === 'ENOTDIR') {
        witness?.missing(path);
        throw new BuilditError('file-missing', `Cannot read "${shown}": expected a file, found none`, { cause });
      }
      const found = errno === 'ELOOP' ? 'a symbolic link' : `an error (${errno})`;
      throw new BuilditError(code, `Cannot read "${shown}": expected a readable file, found ${found}`, {
        position,
        cause,
      });
    }
  }

  function tooLarge(size: number): BuilditError {
    const message = `Cannot read "${shown}": expected at most ${maximumBytes} bytes, found ${size}`;
    return new BuilditError(code, message, { position });
  }
}
