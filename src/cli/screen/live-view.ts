import type { Colours } from '../colours.ts';
import type { TextStream } from '../text-stream.ts';
import { textWidth, withoutEscapes } from '../text-width.ts';
import { liveFrame } from './live-frame.ts';
import type { RunningTasks } from './running-tasks.ts';

export interface LiveView {
  /** Takes the view away, lets other text be written to the terminal, and shows the view again below it. */
  around(writeOther: () => void): void;
  /** Takes the view away for good. */
  close(): void;
}

const FRAME_DISTANCE_MS = 100;

/** Without line wrapping a frame that is wider than the terminal, for the moment after a resize, stays its height. */
const WRAP_OFF = '\u001b[?7l';
const WRAP_ON = '\u001b[?7h';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/**
 * Draws the running tasks at the bottom of a terminal, at most ten times a second. A frame is one write that goes over
 * the last one, so nothing flickers; the cursor stays below it, at the start of a line.
 */
export function createLiveView(
  stream: TextStream,
  tasks: RunningTasks,
  { colours, unicode }: { colours: Colours; unicode: boolean },
): LiveView {
  let drawn: readonly string[] = [];
  let closed = false;

  const draw = () => {
    const { columns, rows } = stream.size();
    // The last column stays free: clearing to the end of a line takes away a character there.
    const lines = liveFrame(tasks.list(), { columns: columns - 1, rows, nowMs: Date.now(), colours, unicode });
    if (lines.length === 0 && drawn.length === 0) return;
    const body = lines.map((line) => `${line}${CLEAR_TO_LINE_END}\n`).join('');
    stream.write(`${WRAP_OFF}${backOver(drawn, columns)}${body}${CLEAR_BELOW}${WRAP_ON}`);
    drawn = lines;
  };
  const clear = () => {
    if (drawn.length > 0) stream.write(`${backOver(drawn, stream.size().columns)}${CLEAR_BELOW}`);
    drawn = [];
  };

  const timer = setInterval(draw, FRAME_DISTANCE_MS);
  timer.unref();
  const stopListening = stream.onResize(draw);
  return {
    around(writeOther) {
      clear();
      writeOther();
      if (!closed) draw();
    },
    close() {
      closed = true;
      clearInterval(timer);
      stopListening();
      clear();
    },
  };
}

/** Moves to where a frame began. A terminal that became narrower has broken the frame's lines into several rows. */
function backOver(lines: readonly string[], columns: number): string {
  const height = lines.reduce(
    (sum, line) => sum + Math.max(1, Math.ceil(textWidth(withoutEscapes(line)) / columns)),
    0,
  );
  return height === 0 ? '\r' : `\r\u001b[${height}A`;
}
