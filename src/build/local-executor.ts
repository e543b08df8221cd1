import type { BuildContext, BuildExecutor, BuildRequest, BuildResult } from '../model/build-request.ts';
import type { DiffId } from '../model/layer.ts';
import type { Store } from '../store/store.ts';
import type { RootView } from './bubblewrap-arguments.ts';
import { composeRoot, type RootMember } from './compose-root.ts';
import { createDiskMeter } from './disk-usage.ts';
import { makeLogPipe, type Packer, packOutput, surveyOutput } from './pack-output.ts';
import { phaseEnvironment } from './phase-environment.ts';
import { type ApplyPatches, prepareWorkspace } from './prepare-workspace.ts';
import { orderedPhases, type PhaseRunner, runPhases } from './run-phases.ts';
import { throwIfInterrupted } from './throw-if-interrupted.ts';
import { openWorkspace, type Workspace } from './workspace.ts';

/** What the sandbox of this machine needs besides a request. */
export interface LocalSandbox {
  readonly store: Store;
  /** bubblewrap ≥ 0.8.0 (see `hostBubblewrap` and `bubblewrapInTree`). */
  readonly bubblewrap: readonly string[];
  /** The kept layer with this content. */
  findMember(diffId: DiffId): Promise<RootMember>;
  readonly applyPatches: ApplyPatches;
}

/** Runs builds in sandboxes of this machine. */
export function createLocalExecutor(sandbox: LocalSandbox): BuildExecutor {
  return {
    name: 'local',
    run: (request, context) => runLocally(sandbox, request, context),
  };
}

async function runLocally(sandbox: LocalSandbox, request: BuildRequest, context: BuildContext): Promise<BuildResult> {
  throwIfInterrupted(context.signal);
  const roots = await composeRoots(sandbox, request);
  const workspace = await openWorkspace(sandbox.store, request.hash, `build-${request.name}`);
  try {
    const result = await buildIn(workspace, roots, sandbox, request, context);
    if (result.kind === 'built') return result;
    if (context.keepFailed) return { ...result, workspace: await workspace.keep() };
    await workspace.release();
    return result;
  } catch (error) {
    await workspace.release();
    throw error;
  }
}

/** The root a package is built in, and the fixed one its output is packed in. */
export interface RequestRoots {
  readonly root: RootView;
  readonly packingRoot: RootView;
}

export async function composeRoots({ store, findMember }: LocalSandbox, request: BuildRequest): Promise<RequestRoots> {
  return {
    root: await composeRoot(store, request.root, findMember),
    packingRoot: await composeRoot(store, request.packingRoot, findMember),
  };
}

async function buildIn(
  workspace: Workspace,
  roots: RequestRoots,
  { store, bubblewrap, applyPatches }: LocalSandbox,
  request: BuildRequest,
  context: BuildContext,
): Promise<BuildResult> {
  const { limits } = request;
  const packer: Packer = { bubblewrap, root: roots.packingRoot, workspace, limits, signal: context.signal };
  await makeLogPipe(packer);
  const sourceDate = await prepareWorkspace(workspace, { store, applyPatches }, request, context);
  const runner = createPhaseRunner({ bubblewrap }, request, context, roots, workspace, sourceDate);
  const phases = orderedPhases(request.phases);
  const installed = phases.findIndex(({ name }) => name === 'install') + 1;
  for (const part of [phases.slice(0, installed), phases.slice(installed)]) {
    const failure = await runPhases(part, runner);
    if (failure !== undefined) return { kind: 'failed', ...failure, workspace: undefined };
    // The phases after the install do not read what cannot be packed, either.
    const fault = await surveyOutput(packer);
    if (fault !== undefined) return unpackable(fault);
  }
  context.onPhase('pack');
  return { kind: 'built', sourceDate, output: packOutput(packer), release: workspace.release };
}

export function createPhaseRunner(
  { bubblewrap }: Pick<LocalSandbox, 'bubblewrap'>,
  request: BuildRequest,
  context: BuildContext,
  { root, packingRoot }: RequestRoots,
  workspace: Workspace,
  sourceDate: number,
): PhaseRunner {
  const { limits } = request;
  return {
    bubblewrap,
    root,
    tools: packingRoot,
    workspace,
    environment: phaseEnvironment(request, sourceDate),
    limits,
    context,
    disk: createDiskMeter([workspace.work, workspace.output]),
    log: { bytes: 0 },
    deadline: performance.now() + limits.timeoutMs,
  };
}

function unpackable(explanation: string): BuildResult {
  return {
    kind: 'failed',
    phase: 'pack',
    reason: 'output',
    explanation,
    workspace: undefined,
  };
}
