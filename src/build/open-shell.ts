import type { BuildContext, BuildRequest } from '../model/build-request.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { PHASE_NAMES, type PhaseName } from '../model/package.ts';
import { SANDBOX_PATHS } from '../model/sandbox-contract.ts';
import { hostPlatform } from '../system/host-platform.ts';
import { createLogTail } from './build-log.ts';
import { composeRoots, createPhaseRunner, type LocalSandbox, type RequestRoots } from './local-executor.ts';
import { makeLogPipe } from './pack-output.ts';
import { limitedCommand } from './phase-command.ts';
import { phaseEnvironment } from './phase-environment.ts';
import { patchSources, prepareWorkspace, readSourceDate } from './prepare-workspace.ts';
import { orderedPhases, phaseSpec, runPhases } from './run-phases.ts';
import { runSandbox } from './run-sandbox.ts';
import { giveTree, openKeptWorkspace, openWorkspace, type Workspace } from './workspace.ts';

const TAIL_LINES = 20;

/** Where a shell can be opened: before this. */
export const SHELL_PHASES = ['unpack', 'patch', ...PHASE_NAMES] as const;
export type ShellPhase = (typeof SHELL_PHASES)[number];

export interface ShellOptions extends Omit<BuildContext, 'keepFailed' | 'onLog'> {
  /** Before this phase, everything earlier done; by default before the first phase of the build itself. */
  readonly phase?: ShellPhase | undefined;
  /** Enters the workspace that the last failed build of this HASH left with --keep-failed. */
  readonly failed?: boolean;
  /** Run in place of an interactive shell. */
  readonly command?: readonly string[];
}

/**
 * Opens a shell, on this process's own standard streams, in exactly the sandbox a build's phases run in. Answers its exit
 * code. The workspace is removed afterwards, unless it is one that was kept.
 */
export async function openShell(sandbox: LocalSandbox, request: BuildRequest, options: ShellOptions): Promise<number> {
  const roots = await composeRoots(sandbox, request);
  const prepared =
    options.failed === true
      ? await keptWorkspace(sandbox, request, options)
      : await preparedWorkspace(sandbox, request, options, roots);
  try {
    return await enter(sandbox, request, options, roots, prepared);
  } finally {
    // A kept one is not removed by this.
    await prepared.workspace.release();
  }
}

async function keptWorkspace(
  { store }: LocalSandbox,
  request: BuildRequest,
  { shownName = request.name }: ShellOptions,
): Promise<PreparedWorkspace> {
  const workspace = await openKeptWorkspace(store, request.hash);
  if (workspace !== undefined) return { workspace, sourceDate: await readSourceDate(workspace) };
  throw new BuilditError(
    'file-missing',
    `Cannot open the failed build of "${printable(shownName)}": expected one that was kept, found none`,
    { hint: 'build it with --keep-failed; a definition that was changed since then is another build' },
  );
}

interface PreparedWorkspace {
  readonly workspace: Workspace;
  readonly sourceDate: number;
}

/** A fresh workspace in which everything before the wanted phase has been done. */
async function preparedWorkspace(
  sandbox: LocalSandbox,
  request: BuildRequest,
  options: ShellOptions,
  roots: RequestRoots,
): Promise<PreparedWorkspace> {
  const { phase = orderedPhases(request.phases)[0]?.name ?? 'prepare' } = options;
  if (phase === 'patch') return workspaceBeforePatch(sandbox, request, options);
  const workspace = await openWorkspace(sandbox.store, request.hash, `shell-${request.name}`);
  try {
    const bare = phase === 'unpack';
    const stripped = bare ? { ...request, sources: [], patches: [] } : request;
    const sourceDate = await prepareWorkspace(workspace, sandbox, stripped, options);
    if (!bare) await runEarlierPhases(phase, { workspace, sourceDate }, sandbox, request, options, roots);
    return { workspace, sourceDate };
  } catch (error) {
    await workspace.release();
    throw error;
  }
}

/** The tree as the first patch that does not apply finds it; where all apply, as the first one does. */
async function workspaceBeforePatch(
  sandbox: LocalSandbox,
  request: BuildRequest,
  options: ShellOptions,
): Promise<PreparedWorkspace> {
  for (let count = request.patches.length; ; count = 0) {
    const workspace = await openWorkspace(sandbox.store, request.hash, `shell-${request.name}`);
    try {
      const sourceDate = await prepareWorkspace(workspace, sandbox, { ...request, patches: [] }, options);
      const rejected = await applyUntilRejected(workspace, sandbox, request.patches.slice(0, count), sourceDate);
      await giveTree(workspace.work, workspace.owner);
      if (rejected || count === 0) return { workspace, sourceDate };
      await workspace.release();
    } catch (error) {
      await workspace.release();
      throw error;
    }
  }
}

/** Answers whether a patch was rejected; a patch applies as a whole or not at all. */
async function applyUntilRejected(
  workspace: Workspace,
  { store, applyPatches }: LocalSandbox,
  patches: BuildRequest['patches'],
  sourceDate: number,
): Promise<boolean> {
  for (const patch of patches) {
    try {
      await patchSources(store, [patch], workspace, applyPatches, { sourceDate, shownName: '' });
    } catch (error) {
      if (error instanceof BuilditError && error.code === 'patch-rejected') return true;
      throw error;
    }
  }
  return false;
}

async function runEarlierPhases(
  phase: PhaseName,
  { workspace, sourceDate }: PreparedWorkspace,
  sandbox: LocalSandbox,
  request: BuildRequest,
  options: ShellOptions,
  roots: RequestRoots,
): Promise<void> {
  const phases = orderedPhases(request.phases);
  const earlier = phases.slice(
    0,
    Math.max(
      0,
      phases.findIndex(({ name }) => name === phase),
    ),
  );
  if (earlier.length === 0) return;
  const { limits } = request;
  const { bubblewrap } = sandbox;
  await makeLogPipe({ bubblewrap, root: roots.packingRoot, workspace, limits, signal: options.signal });
  const log = createLogTail();
  const context = { ...options, keepFailed: false, onLog: log.add };
  const failure = await runPhases(earlier, createPhaseRunner(sandbox, request, context, roots, workspace, sourceDate));
  if (failure === undefined) return;
  throw new BuilditError(
    'build-failed',
    `Cannot open "${request.name}" before ${phase}: ${failure.phase}: ${failure.explanation}`,
    { details: log.lines(TAIL_LINES).map((line) => `| ${line}`), hint: `choose --phase=${failure.phase}` },
  );
}

/** Hands the terminal to a shell. Its session stays the caller's; seccomp keeps it from typing into that terminal. */
async function enter(
  { bubblewrap }: LocalSandbox,
  request: BuildRequest,
  options: ShellOptions,
  { root, packingRoot }: RequestRoots,
  { workspace, sourceDate }: PreparedWorkspace,
): Promise<number> {
  const { limits } = request;
  const command = limitedCommand({
    command: options.command ?? ['/usr/bin/bash', '--norc'],
    environment: { ...phaseEnvironment(request, sourceDate), TERM: terminalName(), ...prompt(request, options) },
    directory: SANDBOX_PATHS.source,
    platform: hostPlatform(),
    limits,
    usageChannel: undefined,
  });
  const sandbox = runSandbox(phaseSpec('shell', { root, tools: packingRoot, workspace, limits }, command), {
    bubblewrap,
    owner: workspace.owner,
    stdin: 'inherit',
    stdout: 'inherit',
    stderr: 'inherit',
    memoryBytes: limits.memoryBytes,
  });
  options.signal.addEventListener('abort', sandbox.kill, { once: true });
  const exit = await sandbox.exit;
  options.signal.removeEventListener('abort', sandbox.kill);
  return exit.kind === 'exited' ? exit.code : 137;
}

/** bash is interactive by itself where it has a terminal, and reads commands quietly where it has none. */
function prompt({ name, version }: BuildRequest, { command }: ShellOptions): Record<string, string> {
  return command === undefined ? { PS1: `[${name}-${version}] \\w \\$ ` } : {};
}

/** The one thing of the caller's environment a shell gets, since its terminal is the caller's. */
export function terminalName(): string {
  const name = process.env.TERM ?? '';
  return /^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$/.test(name) ? name : 'dumb';
}
