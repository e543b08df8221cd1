import { StringDecoder } from 'node:string_decoder';
import { DEFAULT_TAR_LIMITS } from '../layer/tar-limits.ts';
import type { BuildLimits } from '../model/build-request.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { SANDBOX_PATHS } from '../model/sandbox-contract.ts';
import type { RootView, SandboxMount, SandboxSpec } from './bubblewrap-arguments.ts';
import { createOutputSurvey, surveyArguments } from './output-survey.ts';
import { type RunningSandbox, runSandbox } from './run-sandbox.ts';
import { sandboxUnavailable } from './sandbox-diagnosis.ts';
import { throwIfInterrupted } from './throw-if-interrupted.ts';
import type { Workspace } from './workspace.ts';

/** What the sandboxes that no foreign code runs in need: a fixed root with bash, coreutils, findutils and GNU tar. */
export interface Packer {
  readonly bubblewrap: readonly string[];
  readonly root: RootView;
  readonly workspace: Workspace;
  readonly limits: BuildLimits;
  readonly signal: AbortSignal;
}

/**
 * Makes the named pipe of a build's log. This is the first sandbox of a build, so that a machine that cannot run any says
 * so here, in bubblewrap's own words.
 */
export async function makeLogPipe(packer: Packer): Promise<void> {
  await makePipes(packer, ['log']);
}

/** Makes named pipes in the workspace's channel. */
export async function makePipes(packer: Packer, names: readonly string[]): Promise<void> {
  const mount: SandboxMount = { source: packer.workspace.channel, destination: '/out', access: 'write' };
  const { code, errors } = await runPacker(packer, mount, makePipesCommand(names));
  if (code === 0) return;
  throw sandboxUnavailable('a sandbox', errors.trim() || `exit code ${code}`);
}

function makePipesCommand(names: readonly string[]): string[] {
  return ['/usr/bin/mkfifo', '-m', '0600', ...names.map((name) => `/out/${name}`)];
}

/**
 * Says why what a build left in its output cannot be a package: sockets, too many files, too deep, too large. Only names and
 * sizes are looked at. Undefined where nothing is wrong.
 */
export async function surveyOutput(packer: Packer): Promise<string | undefined> {
  throwIfInterrupted(packer.signal);
  const limits = { ...DEFAULT_TAR_LIMITS, maxBytes: Math.min(DEFAULT_TAR_LIMITS.maxBytes, packer.limits.diskBytes) };
  const survey = createOutputSurvey(limits);
  const find = ['/usr/bin/find', SANDBOX_PATHS.output, ...surveyArguments(limits)];
  const { sandbox, stop } = startTimed(packer, outputMount(packer), find);
  try {
    const errors = collect(sandbox.stderr!);
    const decoder = new StringDecoder('utf8');
    for await (const chunk of sandbox.stdout!) if (survey.add(decoder.write(chunk as Buffer))) return survey.fault();
    const exit = await sandbox.exit;
    throwIfInterrupted(packer.signal);
    const said = (await errors).trim();
    if (exit.kind === 'killed' || exit.code !== 0 || said !== '') throw packingError(said || 'find was ended');
    return survey.fault();
  } finally {
    await stop();
  }
}

/**
 * Packs the output of a build whose processes are gone, in a fresh sandbox on a fixed root: nothing of the output is run,
 * and what it holds reaches buildit as bytes. The packer is uid 0 of its namespace with the one right to read everything,
 * else files of mode 0111 and directories of mode 0 would be lost.
 */
export async function* packOutput(packer: Packer): AsyncGenerator<Uint8Array, void, undefined> {
  const { limits, signal } = packer;
  throwIfInterrupted(signal);
  const { sandbox, stop } = startTimed(packer, outputMount(packer), [
    ...['/usr/bin/tar', '--create', '--file=-', '--format=pax', '--pax-option=delete=atime,delete=ctime'],
    ...['--sort=name', '--numeric-owner', `--directory=${SANDBOX_PATHS.output}`, '.'],
  ]);
  const errors = collect(sandbox.stderr!);
  try {
    let bytes = 0;
    for await (const chunk of sandbox.stdout!) {
      bytes += chunk.length;
      // A sparse file takes no disk while it is built.
      if (bytes > limits.diskBytes) throw packingError(`more than the limit of ${limits.diskBytes} bytes`);
      yield chunk as Buffer;
    }
    const exit = await sandbox.exit;
    throwIfInterrupted(signal);
    // GNU tar leaves out what it cannot pack with a message and exit code 0.
    const said = (await errors).trim();
    if (exit.kind === 'killed' || exit.code !== 0 || said !== '') throw packingError(said || 'tar was ended');
  } finally {
    await stop();
  }
}

/** Starts something whose output is read as it comes; `stop` ends it wherever that was left. */
function startTimed(packer: Packer, mount: SandboxMount, command: readonly string[]) {
  const { limits, signal } = packer;
  const sandbox = startPacker(packer, mount, command);
  const timer = setTimeout(sandbox.kill, limits.timeoutMs);
  signal.addEventListener('abort', sandbox.kill, { once: true });
  const stop = async () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', sandbox.kill);
    sandbox.kill();
    await sandbox.exit.catch(() => undefined);
  };
  return { sandbox, stop };
}

function outputMount({ workspace }: Packer): SandboxMount {
  return { source: workspace.output, destination: '/out', access: 'read' };
}

async function runPacker(packer: Packer, mount: SandboxMount, command: readonly string[]) {
  throwIfInterrupted(packer.signal);
  const sandbox = startPacker(packer, mount, command);
  const timer = setTimeout(sandbox.kill, packer.limits.timeoutMs);
  packer.signal.addEventListener('abort', sandbox.kill, { once: true });
  try {
    const [output, errors, exit] = await Promise.all([
      collect(sandbox.stdout!),
      collect(sandbox.stderr!),
      sandbox.exit,
    ]);
    throwIfInterrupted(packer.signal);
    return { code: exit.kind === 'exited' ? exit.code : 137, output, errors };
  } finally {
    clearTimeout(timer);
    packer.signal.removeEventListener('abort', sandbox.kill);
  }
}

function startPacker(packer: Packer, mount: SandboxMount, command: readonly string[]): RunningSandbox {
  const spec: SandboxSpec = {
    root: packer.root,
    uid: 0,
    gid: 0,
    capabilities: ['CAP_DAC_READ_SEARCH'],
    mounts: [mount],
    tmpfsBytes: 2 ** 20,
    environment: { LC_ALL: 'C', PATH: '/usr/bin', TZ: 'UTC' },
    session: 'new',
    command,
  };
  const { bubblewrap, workspace } = packer;
  return runSandbox(spec, { bubblewrap, owner: workspace.owner, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
}

const MAXIMUM_TEXT = 2 ** 20;

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) if (text.length < MAXIMUM_TEXT) text += chunk.toString('utf8');
  return text;
}

function packingError(found: string): BuilditError {
  return new BuilditError('build-failed', `Cannot pack the output of the build: ${printable(found.slice(0, 2000))}`);
}
