import type { BuilditEvent } from '../../model/events.ts';
import { printable } from '../../model/names.ts';
import { createLogLines, type LogLines } from './log-lines.ts';

/** How a CI service folds a part of a job's log. */
export interface GroupMarkers {
  begin(id: string, title: string, nowMs: number): string;
  end(id: string, nowMs: number): string;
}

/** Workflow commands of GitHub Actions; `%`, CR and LF in their text are percent-encoded. */
export const githubMarkers: GroupMarkers = {
  begin: (_, title) => `::group::${githubText(title)}`,
  end: () => '::endgroup::',
};

export function githubText(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** Collapsible sections of GitLab CI; times in seconds, names of letters, digits, `_`, `.` and `-`. */
export const gitlabMarkers: GroupMarkers = {
  begin: (id, title, nowMs) =>
    `\u001b[0Ksection_start:${Math.floor(nowMs / 1000)}:${sectionName(id)}[collapsed=true]\r\u001b[0K${title}`,
  end: (id, nowMs) => `\u001b[0Ksection_end:${Math.floor(nowMs / 1000)}:${sectionName(id)}\r\u001b[0K`,
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
  writeLines: (lines: readonly string[]) => void,
): (event: BuilditEvent, nowMs: number) => void {
  const groups = new Map<string, OpenGroup>();
  return (event, nowMs) => {
    if (event.kind === 'task-started') {
      groups.set(event.task, { title: printable(event.label), lines: createLogLines(), kept: [], startedAtMs: nowMs });
    } else if (event.kind === 'task-log') {
      const group = groups.get(event.task);
      if (group === undefined) return;
      group.kept.push(...group.lines.add(event.chunk));
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
      writeLines([
        markers.begin(event.task, title, group.startedAtMs),
        ...lines.map(withoutCommands),
        markers.end(event.task, nowMs),
      ]);
    }
  };
}

/** A build's output is data: at the start of a line `::` would be a command to the CI service. */
function withoutCommands(line: string): string {
  return line.replace(/^(\s*)(::|##\[)/, '$1\u00a0$2');
}
