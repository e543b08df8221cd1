import type { BuilditEvent, EventSink } from '../../model/events.ts';
import { printable } from '../../model/names.ts';
import type { Colours } from '../colours.ts';
import type { TextStream } from '../text-stream.ts';
import { createLogGroups, githubMarkers, githubText, gitlabMarkers, type LogGroupWriter } from './ci-log-groups.ts';
import { eventAsJson } from './event-json.ts';
import { createHeartbeat } from './heartbeat.ts';
import { createLineWriter } from './line-writer.ts';
import { createLiveView } from './live-view.ts';
import { createLogLines, type LogLines } from './log-lines.ts';
import type { ProgressMode } from './progress-mode.ts';
import { createRunningTasks, type RunningTasks } from './running-tasks.ts';
import { createTranscript } from './transcript.ts';

export interface ScreenOptions {
  readonly mode: ProgressMode;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Where the transcript goes: standard output, or standard error when that holds a document. */
  readonly transcript: TextStream;
  readonly errors: TextStream;
  /** Where commands of the CI service go: the stream of the errors, without what keeps other text from being one. */
  readonly commands: TextStream;
  readonly colours: Colours;
  readonly unicode: boolean;
}

/** What a person sees of a run while it runs. */
export interface Screen {
  readonly emit: EventSink;
  /** Runs something that writes to the terminal by itself, with the view out of its way. */
  around(write: () => void): void;
  /** Ends the transcript and takes the view away. May be called twice. */
  close(): void;
}

/** Composes what a mode shows: the transcript, messages, and one of live view, log groups, plain lines, JSON lines. */
export function createScreen(options: ScreenOptions): Screen {
  if (options.mode === 'json') return jsonScreen(options);
  if (options.quiet) return silentScreen();
  const { mode, transcript: stream, errors } = options;
  const transcript = createTranscript();
  const piecewise = stream.isTerminal && mode === 'plain';
  const writer = createLineWriter(stream, { piecewise });
  const tasks = createRunningTasks();
  const view = mode === 'tty' ? createLiveView(errors, tasks, options) : undefined;
  const around = (write: () => void) => writer.around(() => (view === undefined ? write() : view.around(write)));
  const say = (lines: readonly string[]) => {
    if (lines.length > 0) around(() => errors.write(`${lines.join('\n')}\n`));
  };
  const command = (lines: readonly string[]) => {
    if (lines.length > 0) around(() => options.commands.write(`${lines.join('\n')}\n`));
  };
  const details = detailsOf(options, tasks, { say, command });
  const show = (pieces: ReturnType<typeof transcript.finish>) => {
    if (pieces.length === 0) return;
    if (view === undefined) writer.write(pieces);
    else view.around(() => writer.write(pieces));
  };
  let closed = false;
  return {
    emit(event) {
      const nowMs = Date.now();
      tasks.apply(event, nowMs);
      show(transcript.apply(event));
      if (mode === 'github') command(messageCommands(event));
      say(messageLines(event, options));
      details.apply(event, nowMs);
    },
    around,
    close() {
      if (closed) return;
      closed = true;
      details.stop();
      show(transcript.finish());
      view?.close();
    },
  };
}

interface Details {
  apply(event: BuilditEvent, nowMs: number): void;
  stop(): void;
}

/** What is said beside the transcript: logs in groups, logs as they come with -v, else a sign of life now and then. */
function detailsOf({ mode, verbose }: ScreenOptions, tasks: RunningTasks, { say, command }: LogGroupWriter): Details {
  if (mode === 'github' || mode === 'gitlab') {
    const apply = createLogGroups(mode === 'github' ? githubMarkers() : gitlabMarkers, { say, command });
    return { apply, stop: () => undefined };
  }
  if (verbose) return { apply: logLinesAsTheyCome(say), stop: () => undefined };
  if (mode === 'tty') return { apply: () => undefined, stop: () => undefined };
  const beat = createHeartbeat(tasks);
  const timer = setInterval(() => say(beat(Date.now())), 1000);
  timer.unref();
  return { apply: () => undefined, stop: () => clearInterval(timer) };
}

function logLinesAsTheyCome(say: (lines: readonly string[]) => void): Details['apply'] {
  const logs = new Map<string, { label: string; lines: LogLines }>();
  return (event) => {
    switch (event.kind) {
      case 'task-started':
        logs.set(event.task, { label: printable(event.label), lines: createLogLines() });
        return say([`${printable(event.label)}: started`]);
      case 'task-log': {
        const log = logs.get(event.task);
        return log && say(log.lines.add(event.chunk).map((line) => `${log.label} | ${line}`));
      }
      case 'task-finished': {
        const log = logs.get(event.task);
        logs.delete(event.task);
        if (log === undefined) return;
        const rest = log.lines.rest();
        return say([...(rest === '' ? [] : [`${log.label} | ${rest}`]), `${log.label}: ${event.outcome}`]);
      }
      default:
    }
  };
}

/** Notices and warnings as annotations of a workflow. */
function messageCommands(event: BuilditEvent): string[] {
  if (event.kind === 'notice') return [`::notice::${githubText(printable(event.text))}`];
  return event.kind === 'warning' ? [`::warning::${githubText(printable(event.text))}`] : [];
}

/** Notices and warnings; with -v also why a package was not found. */
function messageLines(event: BuilditEvent, { mode, verbose, colours }: ScreenOptions): string[] {
  switch (event.kind) {
    case 'notice':
      return mode === 'github' ? [] : [`${colours.cyan('note:')} ${printable(event.text)}`];
    case 'warning':
      if (mode === 'github') return [];
      return [
        `${colours.yellow('warning:')} ${printable(event.text)}`,
        ...(event.hint === undefined ? [] : [`  ${colours.cyan('hint:')} ${printable(event.hint)}`]),
      ];
    case 'package-missed':
      return verbose && event.reason !== '' ? [`${colours.dim('reason:')} ${printable(event.reason)}`] : [];
    default:
      return [];
  }
}

function silentScreen(): Screen {
  return { emit: () => undefined, around: (write) => write(), close: () => undefined };
}

function jsonScreen({ errors }: ScreenOptions): Screen {
  return {
    emit: (event) => errors.write(`${eventAsJson(event, Date.now())}\n`),
    around: (write) => write(),
    close: () => undefined,
  };
}
