import { durationText } from '../quantities.ts';
import { progressTexts } from './progress-texts.ts';
import type { RunningTask, RunningTasks } from './running-tasks.ts';

const FIRST_AFTER_MS = 30_000;
const THEN_EVERY_MS = 60_000;

/**
 * What a log without a live view is told of long work: a line when a task has run for half a minute, and one for each
 * further minute, so that nobody takes a long compile for a hang. Call it often; it says each thing once.
 */
export function createHeartbeat(tasks: RunningTasks): (nowMs: number) => string[] {
  const said = new Map<string, number>();
  return (nowMs) => {
    const running = tasks.list();
    for (const task of said.keys()) if (!running.some((candidate) => candidate.task === task)) said.delete(task);
    return running.flatMap((task) => {
      const beats = beatsAfter(nowMs - task.startedAtMs);
      if (beats <= (said.get(task.task) ?? 0)) return [];
      said.set(task.task, beats);
      return [stillRunning(task, nowMs)];
    });
  };
}

function beatsAfter(elapsedMs: number): number {
  return elapsedMs < FIRST_AFTER_MS ? 0 : 1 + Math.floor((elapsedMs - FIRST_AFTER_MS) / THEN_EVERY_MS);
}

function stillRunning(task: RunningTask, nowMs: number): string {
  const facts = [durationText(nowMs - task.startedAtMs), ...progressTexts(task)];
  return `still running: ${task.label} (${facts.join(', ')})`;
}
