import { expect, test } from 'vitest';
import { coloursFor } from '../../../src/cli/colours.ts';
import { createHeartbeat } from '../../../src/cli/screen/heartbeat.ts';
import { liveFrame } from '../../../src/cli/screen/live-frame.ts';
import { createRunningTasks } from '../../../src/cli/screen/running-tasks.ts';
import { textWidth } from '../../../src/cli/text-width.ts';

const plain = coloursFor(false, {});
const start = 1_000_000;

function fetching(total?: number) {
  const tasks = createRunningTasks();
  tasks.apply({ kind: 'task-started', task: 'f', label: 'fetching openssl-3.0.15.tar.gz', total }, start);
  return tasks;
}

function frame(tasks: ReturnType<typeof createRunningTasks>, nowMs: number, columns = 100, rows = 24): string[] {
  return liveFrame(tasks.list(), { columns, rows, nowMs, colours: plain, unicode: false });
}

test('a task shows its label, how long it runs, how much of how much, and the rate of the last seconds', () => {
  const tasks = fetching(15_000_000);
  tasks.apply({ kind: 'task-progress', task: 'f', done: 3_000_000 }, start + 1000);
  tasks.apply({ kind: 'task-progress', task: 'f', done: 6_000_000 }, start + 2000);
  expect(frame(tasks, start + 2000)[0]).toMatch(
    /^\S fetching openssl-3\.0\.15\.tar\.gz {2}2s {2}6\.0 MB\/15\.0 MB 40% {2}3\.0 MB\/s$/,
  );
});

test('the rate follows a change of pace within seconds', () => {
  const tasks = fetching();
  for (let second = 1; second <= 10; second += 1) {
    tasks.apply({ kind: 'task-progress', task: 'f', done: second * 1_000_000 }, start + second * 1000);
  }
  for (let second = 11; second <= 20; second += 1) {
    tasks.apply({ kind: 'task-progress', task: 'f', done: 10_000_000 }, start + second * 1000);
  }
  expect(tasks.list()[0]!.rate).toBe(0);
});

test('a build shows the last line of its log that says something, without colours and control characters', () => {
  const tasks = createRunningTasks();
  tasks.apply({ kind: 'task-started', task: 'b', label: 'building jq' }, start);
  const log = 'checking for gcc... yes\n\u001b[32mcompiling\u001b[0m main.c\u0007\n\n';
  tasks.apply({ kind: 'task-log', task: 'b', chunk: Buffer.from(log) }, start);
  expect(tasks.list()[0]!.lastLogLine).toBe('compiling main.c\\u0007');
  expect(frame(tasks, start + 65_000)[0]).toMatch(/building jq {2}1m05s {2}compiling main\.c/);
});

test('a task that counts packages shows them, and one that only names its phase shows that', () => {
  const tasks = createRunningTasks();
  tasks.apply({ kind: 'task-started', task: 'c', label: 'converting', total: 120, unit: 'packages' }, start);
  tasks.apply({ kind: 'task-progress', task: 'c', done: 30 }, start + 1000);
  tasks.apply({ kind: 'task-started', task: 'b', label: 'building jq' }, start);
  tasks.apply({ kind: 'task-progress', task: 'b', done: 2, detail: 'configure' }, start + 1000);
  const [converting, building] = frame(tasks, start + 1000);
  expect(converting).toMatch(/^\S converting {2}1s {2}30\/120 packages 25%$/);
  expect(building).toMatch(/^\S building jq {2}1s {2}configure$/);
});

test('what ended is no longer shown', () => {
  const tasks = fetching();
  tasks.apply({ kind: 'task-finished', task: 'f', outcome: 'done' }, start + 1);
  expect(frame(tasks, start + 2)).toEqual([]);
});

test('no line is wider than the terminal, at any width and with wide characters', () => {
  const tasks = createRunningTasks();
  tasks.apply(
    { kind: 'task-started', task: 'b', label: `构建软件包 ${'very-long-name-'.repeat(8)}`, total: 5e9 },
    start,
  );
  tasks.apply({ kind: 'task-progress', task: 'b', done: 1e9 }, start + 1000);
  tasks.apply({ kind: 'task-log', task: 'b', chunk: Buffer.from(`${'日本語ログ'.repeat(60)}\n`) }, start + 1000);
  for (let columns = 1; columns <= 200; columns += 1) {
    for (const line of frame(tasks, start + 2000, columns)) expect(textWidth(line)).toBeLessThanOrEqual(columns);
  }
});

test('a view never takes more than a part of the screen and says how much it leaves out', () => {
  const tasks = createRunningTasks();
  for (let index = 0; index < 40; index += 1) {
    tasks.apply({ kind: 'task-started', task: String(index), label: `task ${index}` }, start);
  }
  expect(frame(tasks, start, 80, 8)).toHaveLength(6);
  expect(frame(tasks, start, 80, 8).at(-1)).toBe('  and 35 more');
  expect(frame(tasks, start, 80, 60)).toHaveLength(12);
});

test('a log without a view hears of long work after half a minute and then once a minute', () => {
  const tasks = fetching(15_000_000);
  const beat = createHeartbeat(tasks);
  const heard = Array.from({ length: 200 }, (_, second) => beat(start + second * 1000)).flat();
  expect(heard).toEqual([
    'still running: fetching openssl-3.0.15.tar.gz (30s, 0 B/15.0 MB 0%)',
    'still running: fetching openssl-3.0.15.tar.gz (1m30s, 0 B/15.0 MB 0%)',
    'still running: fetching openssl-3.0.15.tar.gz (2m30s, 0 B/15.0 MB 0%)',
  ]);
});
