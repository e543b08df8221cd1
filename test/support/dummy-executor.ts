import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { phaseEnvironment } from '../../src/build/phase-environment.ts';
import { type ApplyPatches, prepareWorkspace } from '../../src/build/prepare-workspace.ts';
import { orderedPhases } from '../../src/build/run-phases.ts';
import type { Workspace } from '../../src/build/workspace.ts';
import type { BuildContext, BuildExecutor, BuildRequest, BuildResult } from '../../src/model/build-request.ts';
import { BuilditError } from '../../src/model/errors.ts';
import type { Store } from '../../src/store/store.ts';

/**
 * An executor without a sandbox, for tests of everything around one: the same boundary, with the phases run by this
 * machine's own bash below a temporary directory. Its root is the machine.
 */
export function createDummyExecutor(store: Store, applyPatches: ApplyPatches): BuildExecutor {
  return { name: 'dummy', run: (request, context) => runUnprotected(store, applyPatches, request, context) };
}

async function runUnprotected(
  store: Store,
  applyPatches: ApplyPatches,
  request: BuildRequest,
  context: BuildContext,
): Promise<BuildResult> {
  const workspace = temporaryWorkspace();
  try {
    const sourceDate = await prepareWorkspace(workspace, { store, applyPatches }, request, context);
    const environment = {
      ...phaseEnvironment(request, sourceDate),
      PATH: process.env.PATH ?? '',
      HOME: join(workspace.work, 'home'),
      DESTDIR: workspace.output,
      FILESDIR: join(workspace.work, 'files'),
    };
    for (const { name } of orderedPhases(request.phases)) {
      context.onPhase(name);
      const failure = await runPhase(name, workspace, environment, request, context);
      if (failure === undefined) continue;
      if (!context.keepFailed) await workspace.release();
      return { kind: 'failed', phase: name, ...failure, workspace: context.keepFailed ? workspace.path : undefined };
    }
    return { kind: 'built', sourceDate, output: packDirectory(workspace.output), release: workspace.release };
  } catch (error) {
    await workspace.release();
    throw error;
  }
}

function temporaryWorkspace(): Workspace {
  const path = mkdtempSync(join(tmpdir(), 'buildit-dummy-'));
  const place = (name: string) => {
    mkdirSync(join(path, name));
    return join(path, name);
  };
  return {
    path,
    work: place('work'),
    output: place('out'),
    scripts: place('scripts'),
    channel: place('channel'),
    owner: undefined,
    release: () => rm(path, { recursive: true, force: true }),
    keep: async () => path,
  };
}

type PhaseFault = Pick<Extract<BuildResult, { kind: 'failed' }>, 'reason' | 'explanation'>;

function runPhase(
  name: string,
  workspace: Workspace,
  environment: Record<string, string>,
  { limits }: BuildRequest,
  context: BuildContext,
): Promise<PhaseFault | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn('bash', ['-euo', 'pipefail', join(workspace.scripts, name)], {
      cwd: join(workspace.work, 'src'),
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let exceeded: PhaseFault | undefined;
    let logBytes = 0;
    const kill = () => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // It ended in the meantime.
      }
    };
    const exceed = (fault: PhaseFault) => {
      exceeded ??= fault;
      kill();
    };
    const timer = setTimeout(exceed, limits.timeoutMs, {
      reason: 'timeout',
      explanation: 'the time limit was exceeded',
    });
    const onLog = (chunk: Buffer) => {
      logBytes += chunk.length;
      if (logBytes > limits.logBytes) exceed({ reason: 'log', explanation: 'the log limit was exceeded' });
      context.onLog(chunk);
    };
    child.stdout.on('data', onLog);
    child.stderr.on('data', onLog);
    context.signal.addEventListener('abort', kill, { once: true });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      context.signal.removeEventListener('abort', kill);
      kill();
      if (context.signal.aborted) reject(new BuilditError('interrupted', 'Cannot go on: interrupted'));
      else if (exceeded !== undefined) resolve(exceeded);
      else if (code === 0) resolve(undefined);
      else resolve({ reason: code === null ? 'signal' : 'exit', explanation: `exit code ${code ?? signal}` });
    });
  });
}

async function* packDirectory(directory: string): AsyncGenerator<Uint8Array, void, undefined> {
  const child = spawn('tar', ['--create', '--file=-', '--sort=name', `--directory=${directory}`, '.'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  yield* child.stdout;
}
