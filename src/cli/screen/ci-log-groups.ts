import { randomBytes } from 'node:crypto';
import type { BuilditEvent } from '../../model/events.ts';
import { printable } from '../../model/names.ts';
import { createLogLines, type LogLines } from './log-lines.ts';

/** How a CI service folds a part of a job's log; each marker is one or more lines. */
export interface GroupMarkers {
  begin(id: string, title: string, nowMs: number): readonly string[];
  end(id: string, nowMs: number): readonly string[];
}

/** Where a group goes: its lines, and the commands that fold it. */
export interface LogGroupWriter {
  readonly say: (lines: readonly string[]) => void;
  readonly command: (lines: readonly string[]) => void;
}

/**
 * Workflow commands of GitHub Actions; `%`, CR and LF in their text are percent-encoded. In a group no line is a command
 * until a word that no build can know ends that.
 */
export function githubMarkers(frame = stoppedCommands()): GroupMarkers {
  return {
    begin: (_, title) => [`::group::${githubText(title)}`, frame.begin],
    end: () => [frame.end, '::endgroup::'],
  };
}

/** The commands around text that GitHub's runner must only show, with a fresh random word. */
export function stoppedCommands(): { readonly begin: string; readonly end: string } {
  const word = randomBytes(16).toString('hex');
  return { begin: `::stop-commands::${word}`, end: `::${word}::` };
}

export function githubText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Collapsible sections of GitLab CI; times in seconds, names of letters, digits, `_`, `.` and `-`. */
export const gitlabMarkers: GroupMarkers = {
  begin: (id, title, nowMs) => [
    `\u001b[0Ksection_start:${Math.floor(nowMs / 1000)}:${sectionName(id)}[collapsed=true]\r\u001b[0K${title}`,
  ],
  end: (id, nowMs) => [`\u001b[0Ksection_end:${Math.floor(nowMs / 1000)}:${sectionName(id)}\r\u001b[0K`],
};

function sectionName(id: string): string {
  return id.replace(/[^A-Za-z0-9_.-]/g, '_');
}

interface OpenGroup {
  readonly title: string;
  readonly lines: LogLines;
  readonly kept: string[];
  startedAtMs: number;
}

/** A log keeps at most this many lines for its group; the whole log is in the store. */
const MOST_LINES = 20_000;

/**
 * The log of each build as one foldable group, written when the build ends: builds run in parallel, groups must not be
 * torn. Tasks that logged nothing leave nothing.
 */
export function createLogGroups(
  markers: GroupMarkers,
  { say, command }: LogGroupWriter,
): (event: BuilditEvent, nowMs: number) => void {
  const groups = new Map<string, OpenGroup>();
  return (event, nowMs) => {
    if (event.kind === 'task-started') {
      groups.set(event.task, { title: printable(event.label), lines: createLogLines(), kept: [], startedAtMs: nowMs });
    } else if (event.kind === 'task-log') {
      const group = groups.get(event.task);
      if (group === undefined) return;
      for (const line of group.lines.add(event.chunk)) group.kept.push(line);
      if (group.kept.length > MOST_LINES) group.kept.splice(0, group.kept.length - MOST_LINES);
    } else if (event.kind === 'task-finished') {
      const group = groups.get(event.task);
      groups.delete(event.task);
      if (group === undefined) return;
      const lines = [...group.kept, group.lines.rest()].filter(
        (line, index, all) => line !== '' || index < all.length - 1,
      );
      if (lines.length === 0) return;
      const title = event.outcome === 'failed' ? `${group.title} (failed)` : group.title;
      command(markers.begin(event.task, title, group.startedAtMs));
      say(lines);
      command(markers.end(event.task, nowMs));
    }
  };
}
