import { join } from 'node:path';
import type { RunContext } from '../model/config.ts';
import { BuilditError } from '../model/errors.ts';
import type { TestDefinition } from '../model/test-definition.ts';
import { viewProcFiles, withCommonModes, writeProcFiles } from './compose-root.ts';
import { makePipes } from './pack-output.ts';
import { runTest, TEST_PIPES, type TestBench } from './run-test.ts';
import { testFailure } from './test-failure.ts';
import type { TestSubject } from './test-root.ts';

export type TestSetting = Omit<TestBench, 'procFiles' | 'signal' | 'onLog' | 'limits'> & {
  readonly memoryBytes: number;
};

const PROCESSES = 4096;
const DISK_BYTES = 2 * 1024 ** 3;
const LOG_BYTES = 8 * 1024 ** 2;

/** Runs tests one after the other, each in a sandbox of its own, and answers what failed. */
export async function runTests(
  tests: readonly TestDefinition[],
  subject: TestSubject,
  setting: TestSetting,
  { signal, emit }: RunContext,
): Promise<readonly BuilditError[]> {
  const task = `test ${subject.title}`;
  emit({ kind: 'task-started', task, label: `testing ${subject.title}` });
  const failures: BuilditError[] = [];
  try {
    const bench = await openBench(setting, signal, (chunk) => emit({ kind: 'task-log', task, chunk }));
    for (const [index, test] of tests.entries()) {
      emit({ kind: 'task-progress', task, done: index + 1, detail: test.name });
      const failure = await failureOf(test, subject, bench);
      if (failure !== undefined) failures.push(failure);
    }
    return failures;
  } finally {
    emit({ kind: 'task-finished', task, outcome: failures.length === 0 && !signal.aborted ? 'done' : 'failed' });
  }
}

async function failureOf(
  test: TestDefinition,
  subject: TestSubject,
  bench: TestBench,
): Promise<BuilditError | undefined> {
  try {
    const failed = await runTest(test, subject, bench);
    return failed && testFailure(test, subject, failed);
  } catch (error) {
    if (error instanceof BuilditError && error.code === 'test-failed') return error;
    throw error;
  }
}

/** Makes ready in a workspace what its tests share. */
export async function openBench(
  { memoryBytes, ...setting }: TestSetting,
  signal: AbortSignal,
  onLog: TestBench['onLog'],
): Promise<TestBench> {
  const limits = { memoryBytes, processes: PROCESSES, diskBytes: DISK_BYTES, logBytes: LOG_BYTES };
  const { bubblewrap, tools, workspace } = setting;
  await makePipes({ bubblewrap, root: tools, workspace, limits: { ...limits, timeoutMs: 60_000 }, signal }, TEST_PIPES);
  const procDirectory = join(workspace.path, 'proc-files');
  withCommonModes(() => writeProcFiles(procDirectory));
  return { ...setting, limits, procFiles: viewProcFiles(procDirectory), signal, onLog };
}
