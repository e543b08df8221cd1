import type { Colours } from '../colours.ts';
import { durationText } from '../quantities.ts';
import { fitText, textWidth } from '../text-width.ts';
import { progressTexts } from './progress-texts.ts';
import type { RunningTask } from './running-tasks.ts';

export interface FrameStyle {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  readonly colours: Colours;
  /** Whether the terminal shows Unicode. */
  readonly unicode: boolean;
}

/** A view never takes more of the screen than this, so that the transcript stays in sight. */
const MOST_TASKS_SHOWN = 12;

/** The lines of the live view, each at most as wide as the terminal: what runs, how long, how far, what it said last. */
export function liveFrame(tasks: readonly RunningTask[], style: FrameStyle): string[] {
  const room = Math.max(1, Math.min(MOST_TASKS_SHOWN, style.rows - 2));
  const shown = tasks.length > room ? tasks.slice(0, room - 1) : tasks;
  const lines = shown.map((task) => taskLine(task, style));
  if (shown.length === tasks.length) return lines;
  return [...lines, style.colours.dim(fitText(`  and ${tasks.length - shown.length} more`, style.columns))];
}

function taskLine(task: RunningTask, style: FrameStyle): string {
  const { colours, columns, nowMs } = style;
  const facts = [durationText(nowMs - task.startedAtMs), ...progressTexts(task)].join('  ');
  const label = fitText(task.label, Math.max(10, columns - textWidth(facts) - 5));
  const head = fitText(`${spinner(style)} ${label}  ${facts}`, columns);
  const rest = columns - textWidth(head) - 2;
  const said = task.lastLogLine.trim();
  return said === '' || rest < 8 ? head : `${head}  ${colours.dim(fitText(said, rest))}`;
}

const SPINNER_FRAME_MS = 100;

function spinner({ nowMs, unicode }: FrameStyle): string {
  const frames = unicode ? '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏' : '|/-\\';
  return frames[Math.floor(nowMs / SPINNER_FRAME_MS) % frames.length]!;
}
