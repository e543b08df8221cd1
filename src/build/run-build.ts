import type { BuildExecutor, BuildRequest, BuildResult } from '../model/build-request.ts';
import type { RunContext } from '../model/config.ts';
import type { Digest } from '../model/digest.ts';
import { type BuilditError, throwCollected } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { LintAllowance } from '../model/output-lint.ts';
import type { FileCapabilities, SubpackageRule } from '../model/package.ts';
import { type PackageRecord, RECORD_FORMAT, rootElf, rootLayers } from '../model/record.ts';
import type { Store } from '../store/store.ts';
import { buildFailure } from './build-failure.ts';
import { type BuildLog, openBuildLog } from './build-log.ts';
import { checkNeeds, type DeclaredNeeds } from './check-needs.ts';
import { keepOutput } from './keep-output.ts';
import { judgeOutputs, type RelatedLayers } from './lint/judge-outputs.ts';
import { unmatchedPatterns } from './unmatched-patterns.ts';

/** One build, and what its result is judged by. */
export interface BuildJob {
  readonly request: BuildRequest;
  readonly buildKey: Digest;
  /** What the package is called on the command line: `./pkgs/nginx`, `dev-libs/openssl`. */
  readonly shownName: string;
  readonly needs: DeclaredNeeds;
  /** `debs`: what the build leaves are binary packages, and each becomes an output. */
  readonly outputs?: 'tree' | 'debs' | undefined;
  readonly subpackages?: readonly SubpackageRule[] | undefined;
  readonly capabilities?: readonly FileCapabilities[] | undefined;
  /** The base package brings the links of a merged /usr (`keepOutput`). */
  readonly ownsTopLinks?: boolean;
  /** What the recipe says its licence is, and what it allows that would be refused. */
  readonly license?: string | undefined;
  readonly allowed?: readonly LintAllowance[] | undefined;
  /** What it takes the place of, `debian/dash`. */
  readonly replaced?: readonly string[] | undefined;
  readonly related?: RelatedLayers | undefined;
}

export interface BuildServices {
  readonly store: Store;
  readonly executor: BuildExecutor;
  /** Makes an output of each binary package in a build's packed output (`debian/` has the one that is used). */
  readonly keepDebs: (output: AsyncIterable<Uint8Array>, name: string) => Promise<PackageRecord['outputs']>;
  readonly keepFailed: boolean;
  /** Who builds, for the record. */
  readonly builder: string;
  readonly now?: () => Date;
}

const TAIL_LINES = 20;

/** Runs a build and gives the record of what it made: a layer whose needs are all declared. The log is kept anyway. */
export async function runBuild(job: BuildJob, services: BuildServices, context: RunContext): Promise<PackageRecord> {
  const { request } = job;
  const task = `build ${request.hash}`;
  context.emit({ kind: 'task-started', task, label: `building ${request.name}-${request.version}` });
  const now = services.now ?? (() => new Date());
  const startedAt = now().toISOString();
  const log = await openBuildLog(services.store, request.name.replace('/', '-'));
  const keepLog = (outcome: 'built' | 'failed') =>
    log.keep({
      hash: request.hash,
      name: request.name,
      version: request.version,
      outcome,
      startedAt,
      finishedAt: now().toISOString(),
    });
  let built: { outputs: PackageRecord['outputs']; sourceDate: number };
  try {
    const result = await execute(job, services, context, log, task);
    if (result.kind === 'failed') throw await failureOf(job, result, log, keepLog);
    built = { outputs: await keepResult(job, services, result, context.emit), sourceDate: result.sourceDate };
  } catch (error) {
    // A log that cannot be kept is not what the user must hear of first.
    await keepLog('failed').catch(() => undefined);
    context.emit({ kind: 'task-finished', task, outcome: 'failed' });
    throw error;
  }
  const kept = await keepLog('built');
  context.emit({ kind: 'task-finished', task, outcome: 'done' });
  return {
    format: RECORD_FORMAT,
    kind: 'build',
    hash: request.hash,
    buildKey: job.buildKey,
    name: request.name,
    version: request.version,
    platform: request.platform,
    outputs: built.outputs,
    sources: request.sources.map(({ digest }) => digest),
    patches: request.patches.map(({ digest }) => digest),
    sourceDate: built.sourceDate,
    builder: services.builder,
    startedAt,
    finishedAt: now().toISOString(),
    log: kept.digest,
  };
}

async function failureOf(
  { request, shownName }: BuildJob,
  result: Extract<BuildResult, { kind: 'failed' }>,
  log: BuildLog,
  keepLog: (outcome: 'failed') => ReturnType<BuildLog['keep']>,
): Promise<BuilditError> {
  const tail = log.tail(TAIL_LINES);
  return buildFailure(request, result, { tail, path: (await keepLog('failed')).path }, shownName);
}

async function execute(
  { request, shownName }: BuildJob,
  { executor, keepFailed }: BuildServices,
  { signal, emit }: RunContext,
  log: BuildLog,
  task: string,
): Promise<BuildResult> {
  let phases = 0;
  return executor.run(request, {
    signal,
    keepFailed,
    shownName,
    onPhase(phase) {
      phases += 1;
      log.write(Buffer.from(`==> ${phase}\n`));
      emit({ kind: 'task-progress', task, done: phases, detail: phase });
    },
    onLog(chunk) {
      log.write(chunk);
      emit({ kind: 'task-log', task, chunk });
    },
  });
}

async function keepResult(
  job: BuildJob,
  { store, keepDebs }: BuildServices,
  { output, sourceDate, release }: Extract<BuildResult, { kind: 'built' }>,
  emit: RunContext['emit'],
): Promise<PackageRecord['outputs']> {
  const { request, needs, outputs: kind = 'tree', subpackages, capabilities, ownsTopLinks = false } = job;
  try {
    const outputs =
      kind === 'debs'
        ? await keepDebs(output, request.name)
        : await keepOutput(store, output, { name: request.name, sourceDate, ownsTopLinks, subpackages, capabilities });
    checkNeeds(request.name, rootElf({ outputs }), needs);
    // What Debian's own rules made is as Debian's packages are.
    if (kind === 'tree') await judge(job, store, outputs, emit);
    for (const { part, pattern } of await unmatchedPatterns(store, outputs, subpackages ?? [])) {
      const text = `${request.name}: no file fits "${pattern}" of the sub-package "${part}"`;
      emit({ kind: 'notice', text: printable(text) });
    }
    return outputs;
  } finally {
    await release();
  }
}

async function judge(
  { request, ownsTopLinks = false, license, allowed = [], replaced, related }: BuildJob,
  store: Store,
  outputs: PackageRecord['outputs'],
  emit: RunContext['emit'],
): Promise<void> {
  const { name, platform } = request;
  const { errors, notices } = await judgeOutputs(store, rootLayers({ outputs }), {
    name,
    platform,
    ownsTopLinks,
    license,
    allowed,
    replaced,
    related,
  });
  throwCollected(errors);
  for (const text of notices) emit({ kind: 'notice', text });
}
