import { closeSync, lstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BuildLimits } from '../model/build-request.ts';
import { BuilditError } from '../model/errors.ts';
import type { Platform } from '../model/platform.ts';
import { SANDBOX_PATHS } from '../model/sandbox-contract.ts';
import type { TestDefinition } from '../model/test-definition.ts';
import { removeTree } from '../system/files.ts';
import { askServer } from './ask-server.ts';
import type { RootView, SandboxMount, SandboxSpec } from './bubblewrap-arguments.ts';
import { createLogTail } from './build-log.ts';
import { createDiskMeter } from './disk-usage.ts';
import { explainStart, isOwnLine, judgeTest, type TestMismatch, type TestObservation } from './judge-test.ts';
import { openLogPipe } from './log-pipe.ts';
import { copyPrivately } from './private-copy.ts';
import { type RunningSandbox, runSandbox } from './run-sandbox.ts';
import { sandboxUnavailable } from './sandbox-diagnosis.ts';
import { TOOLS_ENVIRONMENT, toolsMount } from './sandbox-tools.ts';
import { ranCommand, STARTED_CHANNELS, startedCommand } from './test-command.ts';
import type { TestSubject } from './test-root.ts';
import { throwIfInterrupted } from './throw-if-interrupted.ts';
import { watchLimits } from './watch-limits.ts';
import type { Workspace } from './workspace.ts';

/** What the tests of one subject share. */
export interface TestBench {
  readonly bubblewrap: readonly string[];
  /** A root with bash and coreutils, of which buildit's own part in a sandbox is made. */
  readonly tools: RootView;
  readonly platform: Platform;
  /** Its channel holds the named pipes of `TEST_PIPES`. */
  readonly workspace: Workspace;
  readonly procFiles: RootView['procFiles'];
  /** But for the time, which each test says. */
  readonly limits: Omit<BuildLimits, 'timeoutMs'>;
  readonly signal: AbortSignal;
  onLog(chunk: Uint8Array): void;
}

/** Real pipes: a server may open /dev/stdout again, which fails on what Node calls a pipe. */
export const TEST_PIPES = ['stdout', 'stderr'] as const;
export type TestStream = (typeof TEST_PIPES)[number];

export interface FailedTest {
  readonly mismatch: TestMismatch;
  /** The last lines of each stream, safe for a terminal. */
  readonly tails: Readonly<Record<TestStream, readonly string[]>>;
}

const TAIL_LINES = 20;

/** Runs one test in a fresh sandbox, which is gone afterwards with all that ran in it. Undefined when it passed. */
export async function runTest(
  test: TestDefinition,
  subject: TestSubject,
  bench: TestBench,
): Promise<FailedTest | undefined> {
  throwIfInterrupted(bench.signal);
  const scratch = join(bench.workspace.path, 'test');
  mkdirSync(scratch, { mode: 0o711 });
  try {
    return await runIn(scratch, test, subject, bench);
  } finally {
    await removeTree(scratch);
  }
}

async function runIn(
  scratch: string,
  test: TestDefinition,
  subject: TestSubject,
  bench: TestBench,
): Promise<FailedTest | undefined> {
  const spec = testSpec(test, subject, bench, placePrivately(scratch, subject, bench));
  const streams = openStreams(bench);
  const limits = { ...bench.limits, timeoutMs: test.timeoutMs };
  const stdin = openStdin(test, scratch);
  let sandbox: RunningSandbox;
  try {
    sandbox = runSandbox(spec, {
      bubblewrap: bench.bubblewrap,
      owner: bench.workspace.owner,
      stdin,
      stdout: streams.writers.stdout,
      stderr: streams.writers.stderr,
      channels: test.action.kind === 'start' ? STARTED_CHANNELS : 1,
      memoryBytes: limits.memoryBytes,
    });
  } finally {
    streams.closeWriters();
    if (typeof stdin === 'number') closeSync(stdin);
  }
  const deadline = performance.now() + limits.timeoutMs;
  const disk = createDiskMeter([scratch]);
  const watch = watchLimits(limits, deadline, sandbox, sandbox.channels.at(-1), disk, { bytes: 0 });
  streams.count = watch.countLog;
  bench.signal.addEventListener('abort', sandbox.kill, { once: true });
  try {
    const answer = askIfStarted(test, sandbox);
    const exit = await sandbox.exit;
    await streams.finished;
    throwIfInterrupted(bench.signal);
    const exceeded = watch.exceeded();
    if (!watch.started() && exceeded === undefined) throw neverStarted(streams.texts().stderr);
    const mismatch = judge(test, { exit, exceeded, ...streams.texts() }, await answer);
    return mismatch && { mismatch, tails: streams.tails() };
  } finally {
    watch.stop();
    bench.signal.removeEventListener('abort', sandbox.kill);
    for (const channel of sandbox.channels) channel.destroy();
  }
}

/** Then what was written is bubblewrap's own, and says nothing about what is tested. */
function neverStarted(said: string): BuilditError {
  return sandboxUnavailable('a sandbox for a test', said);
}

/** Asks a server, then ends it however it answered. */
async function askIfStarted({ action }: TestDefinition, { channels, kill }: RunningSandbox) {
  if (action.kind !== 'start') return undefined;
  try {
    return await askServer(action.check, channels.slice(0, -1));
  } finally {
    kill();
  }
}

function judge(
  test: TestDefinition,
  observed: TestObservation,
  answer: TestMismatch | undefined,
): TestMismatch | undefined {
  if (test.action.kind !== 'start') return judgeTest(test, observed);
  if (answer === undefined) return undefined;
  if (observed.exceeded === undefined) return explainStart(answer, observed.stderr);
  return { ...answer, found: `that ${observed.exceeded.explanation}` };
}

/** Directories at the top that a test may write to, as mounts of its own copies. */
function placePrivately(scratch: string, subject: TestSubject, { workspace }: TestBench): SandboxMount[] {
  if (subject.kind === 'package') return [];
  const target = join(scratch, 'root');
  mkdirSync(target, { mode: 0o711 });
  const names = subject.tree.directories.filter((name) => name !== 'usr' && !MADE_BY_KERNEL.includes(name));
  copyPrivately(subject.tree, names, target, subject, workspace.owner);
  return names.map((name) => ({ source: join(target, name), destination: `/${name}`, access: 'write' }));
}

const MADE_BY_KERNEL = ['dev', 'proc'];
const MADE_BY_SANDBOX = [...MADE_BY_KERNEL, 'run', 'tmp'];

/** What a test runs in; a person's shell gets the same with another command. */
export function testSpec(
  test: TestDefinition,
  subject: TestSubject,
  bench: Pick<TestBench, 'tools' | 'platform' | 'limits' | 'procFiles'>,
  mounts: readonly SandboxMount[],
): SandboxSpec {
  const { action } = test;
  const command = {
    command: action.kind === 'script' ? shellFor(test, subject) : action.command,
    environment: { ...subject.environment, ...test.environment },
    directory: subject.directory,
    platform: bench.platform,
    limits: { ...bench.limits, timeoutMs: test.timeoutMs },
  };
  return sandboxSpec(subject, bench, mounts, action.kind === 'start' ? startedCommand(command) : ranCommand(command));
}

export function sandboxSpec(
  subject: TestSubject,
  { tools, limits, procFiles }: Pick<TestBench, 'tools' | 'limits' | 'procFiles'>,
  mounts: readonly SandboxMount[],
  command: readonly string[],
): SandboxSpec {
  const { tree, uid, gid, kind } = subject;
  const isFree = (name: string) => !MADE_BY_SANDBOX.includes(name) && name !== SANDBOX_PATHS.tools.slice(1);
  const isMounted = (name: string) => mounts.some(({ destination }) => destination === `/${name}`);
  return {
    root: {
      path: tree.path,
      directories: tree.directories.filter((name) => isFree(name) && !isMounted(name)),
      files: tree.files.filter(isFree),
      links: tree.links.filter(({ name }) => isFree(name)),
      procFiles,
    },
    uid,
    gid,
    capabilities: [],
    mounts: [...mounts.filter(({ destination }) => destination !== SANDBOX_PATHS.tools), toolsMount(tools)],
    tmpfsBytes: limits.memoryBytes,
    // The command sets what the test sees.
    environment: TOOLS_ENVIRONMENT,
    session: 'new',
    asContainer: kind === 'image',
    command,
  };
}

const SHELLS: readonly (readonly string[])[] = [
  ['usr/bin/bash', '-euo', 'pipefail', '-c'],
  ['usr/bin/dash', '-eu', '-c'],
  ['usr/bin/sh', '-eu', '-c'],
];

/** A shell of the root that is tested, with the script of the test. */
function shellFor({ action, name, position }: TestDefinition, { tree, title, kind }: TestSubject): string[] {
  for (const [shell, ...options] of SHELLS) {
    const found = lstatSync(join(tree.path, shell!), { throwIfNoEntry: false });
    if (found === undefined || action.kind !== 'script') continue;
    return [`/${shell}`, ...options, action.script];
  }
  throw new BuilditError(
    'test-failed',
    `Cannot run the test "${name}" of "${title}": expected a shell for its script, found none in the root`,
    {
      position,
      hint:
        kind === 'package'
          ? 'dependencies: {test: [debian/dash]} gives it one; "run" needs none'
          : 'the image has none: "run" needs none',
    },
  );
}

function openStdin({ stdin }: TestDefinition, scratch: string): number | 'ignore' {
  if (stdin === undefined) return 'ignore';
  const path = join(scratch, 'stdin');
  writeFileSync(path, stdin, { flag: 'wx', mode: 0o600 });
  return openSync(path, 'r');
}

/** Both streams of one run: kept whole, since the log's limit bounds them, and handed on as they come. */
function openStreams({ workspace, onLog }: TestBench) {
  const opened = TEST_PIPES.map((name) => {
    const chunks: Buffer[] = [];
    const tail = createLogTail();
    const pipe = openLogPipe(join(workspace.channel, name), (chunk) => {
      chunks.push(chunk);
      tail.add(chunk);
      streams.count(chunk.length);
      onLog(chunk);
    });
    return { name, chunks, tail, pipe };
  });
  const each = <Value>(give: (stream: (typeof opened)[number]) => Value) =>
    Object.fromEntries(opened.map((stream) => [stream.name, give(stream)])) as Record<TestStream, Value>;
  const streams = {
    count: (_bytes: number): void => undefined,
    writers: each(({ pipe }) => pipe.writer),
    closeWriters: () => opened.forEach(({ pipe }) => void pipe.closeWriter()),
    finished: Promise.all(opened.map(({ pipe }) => pipe.finished)),
    texts: () => each(({ chunks }) => Buffer.concat(chunks).toString('utf8')),
    tails: () =>
      each(({ tail }) =>
        tail
          .lines(TAIL_LINES + 1)
          .filter((line) => !isOwnLine(line))
          .slice(-TAIL_LINES),
      ),
  };
  streams.finished.catch(() => undefined);
  return streams;
}
