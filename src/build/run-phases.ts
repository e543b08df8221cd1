import { constants } from 'node:os';
import { join } from 'node:path';
import type { BuildContext, BuildFailureReason, BuildLimits, BuildRequest } from '../model/build-request.ts';
import { BuilditError } from '../model/errors.ts';
import type { PhaseName } from '../model/package.ts';
import { SANDBOX_GID, SANDBOX_PATHS, SANDBOX_UID } from '../model/sandbox-contract.ts';
import { hostPlatform } from '../system/host-platform.ts';
import type { RootView, SandboxMount, SandboxSpec } from './bubblewrap-arguments.ts';
import { createLogTail } from './build-log.ts';
import type { DiskMeter } from './disk-usage.ts';
import { openLogPipe } from './log-pipe.ts';
import { phaseCommand } from './phase-command.ts';
import { FIRST_CHANNEL, runSandbox, type SandboxExit } from './run-sandbox.ts';
import { TOOLS_ENVIRONMENT, toolsMount } from './sandbox-tools.ts';
import { throwIfInterrupted } from './throw-if-interrupted.ts';
import { watchLimits } from './watch-limits.ts';
import type { Workspace } from './workspace.ts';

/** Everything the phases of one build share. */
export interface PhaseRunner {
  readonly bubblewrap: readonly string[];
  readonly root: RootView;
  /** The fixed root, with the bash that sets limits. */
  readonly tools: RootView;
  readonly workspace: Workspace;
  readonly environment: Readonly<Record<string, string>>;
  readonly limits: BuildLimits;
  readonly context: BuildContext;
  readonly disk: DiskMeter;
  /** Bytes of log so far, over all phases. */
  readonly log: { bytes: number };
  /** Of `performance.now()`: the time limit is for all phases together. */
  readonly deadline: number;
}

export interface PhaseFailure {
  readonly phase: PhaseName;
  readonly reason: BuildFailureReason;
  readonly explanation: string;
}

/** The order in which phases run. `check` is last and sees the output read-only: it never changes what is packed. */
const PHASE_ORDER: readonly PhaseName[] = ['prepare', 'configure', 'build', 'install', 'licenses', 'strip', 'check'];

export type Phase = BuildRequest['phases'][number];

export function orderedPhases(phases: readonly Phase[]): Phase[] {
  return [...phases].sort((a, b) => PHASE_ORDER.indexOf(a.name) - PHASE_ORDER.indexOf(b.name));
}

/** Runs phases one after the other, each in a sandbox of its own. Answers the first failure. */
export async function runPhases(phases: readonly Phase[], runner: PhaseRunner): Promise<PhaseFailure | undefined> {
  for (const { name } of phases) {
    runner.context.onPhase(name);
    const failure = await runPhase(name, runner);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** What a phase runs in; a person's shell gets the same with another command. */
export function phaseSpec(
  phase: PhaseName | 'shell',
  runner: Pick<PhaseRunner, 'root' | 'tools' | 'workspace' | 'limits'>,
  command: readonly string[],
): SandboxSpec {
  const { root, tools, workspace, limits } = runner;
  const mounts: SandboxMount[] = [
    { source: workspace.work, destination: SANDBOX_PATHS.work, access: 'write' },
    { source: workspace.output, destination: SANDBOX_PATHS.output, access: phase === 'check' ? 'read' : 'write' },
    { source: workspace.scripts, destination: SANDBOX_PATHS.scripts, access: 'read' },
    toolsMount(tools),
  ];
  return {
    root,
    uid: SANDBOX_UID,
    gid: SANDBOX_GID,
    capabilities: [],
    mounts,
    tmpfsBytes: limits.memoryBytes,
    environment: TOOLS_ENVIRONMENT,
    session: phase === 'shell' ? 'keep' : 'new',
    command,
  };
}

async function runPhase(name: PhaseName, runner: PhaseRunner): Promise<PhaseFailure | undefined> {
  const { workspace, environment, limits, context } = runner;
  throwIfInterrupted(context.signal);
  const watched = { count: (_bytes: number): void => undefined, isStarted: () => false };
  const tail = createLogTail();
  const log = openLogPipe(join(workspace.channel, 'log'), (chunk) => {
    if (!watched.isStarted()) tail.add(chunk);
    watched.count(chunk.length);
    context.onLog(chunk);
  });
  const phase = { environment, platform: hostPlatform(), limits, usageChannel: FIRST_CHANNEL };
  const sandbox = runSandbox(phaseSpec(name, runner, phaseCommand(phase, name)), {
    bubblewrap: runner.bubblewrap,
    owner: workspace.owner,
    stdin: 'ignore',
    stdout: log.writer,
    stderr: log.writer,
    channels: 1,
    memoryBytes: limits.memoryBytes,
  });
  log.closeWriter();
  const watch = watchLimits(limits, runner.deadline, sandbox, sandbox.channels[0], runner.disk, runner.log);
  watched.count = watch.countLog;
  watched.isStarted = watch.started;
  context.signal.addEventListener('abort', sandbox.kill, { once: true });
  try {
    const exit = await sandbox.exit;
    await log.finished;
    throwIfInterrupted(context.signal);
    if (!watch.started() && watch.exceeded() === undefined && !isSuccess(exit)) throw neverStarted(name, tail.lines(5));
    const failure = watch.exceeded() ?? failureOf(exit);
    return failure === undefined ? undefined : { phase: name, ...failure };
  } finally {
    watch.stop();
    context.signal.removeEventListener('abort', sandbox.kill);
  }
}

function isSuccess(exit: SandboxExit): boolean {
  return exit.kind === 'exited' && exit.code === 0;
}

/** Then what was written is bubblewrap's own, and says nothing about the phase. */
function neverStarted(phase: PhaseName, said: readonly string[]): BuilditError {
  const reason = said.join('; ') || 'it ended before its command began';
  return new BuilditError('sandbox-unavailable', `Cannot run a sandbox for the phase ${phase}: ${reason}`, {
    hint: 'buildit doctor says what this machine lacks and how to fix it',
  });
}

function failureOf(exit: SandboxExit): { reason: BuildFailureReason; explanation: string } | undefined {
  if (exit.kind === 'killed') return { reason: 'signal', explanation: `ended by ${exit.signal}` };
  if (exit.code === 0) return undefined;
  const signal = Object.entries(constants.signals).find(([, number]) => exit.code === 128 + number)?.[0];
  const suffix = signal === undefined ? '' : ` (${signal})`;
  return { reason: 'exit', explanation: `exit code ${exit.code}${suffix}` };
}
