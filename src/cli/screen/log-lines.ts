import { StringDecoder } from 'node:string_decoder';
import { printable } from '../../model/names.ts';
import { withoutEscapes } from '../text-width.ts';

export interface LogLines {
  /** The lines that a chunk completes, safe for a terminal. */
  add(chunk: Uint8Array): string[];
  /** What came after the last line end. */
  rest(): string;
}

/** Longer lines are cut into several: a build that never ends its line must not fill the memory. */
const LONGEST_LINE = 8192;

/** Splits the raw bytes of a build's log into lines. A carriage return ends a line too: progress bars use it. */
export function createLogLines(): LogLines {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  return {
    add(chunk) {
      pending += decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      const lines = pending.split(/\r\n|\n|\r(?!$)/);
      pending = lines.pop() ?? '';
      if (pending.length > LONGEST_LINE) {
        lines.push(pending);
        pending = '';
      }
      return lines.map(cleaned);
    },
    rest: () => cleaned(pending),
  };
}

function cleaned(line: string): string {
  return printable(withoutEscapes(line).replaceAll('\t', ' ').replace(/\r$/, ''));
}
