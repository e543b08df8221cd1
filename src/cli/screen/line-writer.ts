import type { TextStream } from '../text-stream.ts';
import type { TranscriptPiece } from './transcript.ts';

export interface LineWriter {
  write(pieces: readonly TranscriptPiece[]): void;
  /** Lets other text through to the same screen: an open line is broken off and said again when it ends. */
  around(writeOther: () => void): void;
}

/**
 * Writes pieces of lines. On a terminal a line's beginning appears at once; elsewhere only whole lines are written, so
 * that a log is never torn by another process.
 */
export function createLineWriter(stream: TextStream, { piecewise }: { piecewise: boolean }): LineWriter {
  let line = '';
  let written = '';
  return {
    write(pieces) {
      for (const { text, endsLine } of pieces) {
        line += text;
        if (!endsLine && !piecewise) continue;
        stream.write(line.slice(written.length) + (endsLine ? '\n' : ''));
        written = endsLine ? '' : line;
        if (endsLine) line = '';
      }
    },
    around(writeOther) {
      if (written !== '') stream.write('\n');
      written = '';
      writeOther();
    },
  };
}
