import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import type { Person } from './place.ts';
import { asUser, testsRunAsRoot } from './users.ts';

export interface InstalledRun {
  readonly installation: string;
  /** Who runs it, in the directory beside the container's. */
  readonly person: Person;
  readonly args: readonly string[];
  /** Besides the few variables that every run gets. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly node?: string;
  /** Programs of the host that this run must not find. */
  readonly hide?: readonly string[];
  /** The name of the machine during this run. */
  readonly hostName?: string;
  readonly umask?: string;
  /** A command that the command line is given to, such as `strace -f -o FILE`. */
  readonly through?: readonly string[];
}

export interface InstalledResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

export interface StartedRun {
  readonly child: ChildProcess;
  readonly ended: Promise<InstalledResult>;
  /** Sends a signal to buildit alone, or to its process group, as a terminal does. */
  signal(name: NodeJS.Signals, whom: 'process' | 'group'): void;
}

/** Runs the real command line to its end, with an environment of its own. */
export function runInstalled(run: InstalledRun): Promise<InstalledResult> {
  return startInstalled(run).ended;
}

const running = new Set<ChildProcess>();

/** Kills what was started by these functions and has not ended; all else on the machine is none of their business. */
export function endStartedRuns(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Starts the real command line. What still runs of it when the tests of its place are done is killed then. */
export function startInstalled(
  run: InstalledRun,
  onOutput: (stream: 'stdout' | 'stderr', text: string) => void = () => undefined,
): StartedRun {
  const startedAtMs = Date.now();
  const [program, ...parameters] = commandOf(run);
  const child = spawn(program!, parameters, {
    cwd: dirname(run.person.container),
    env: environmentOf(run),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  child.on('close', () => running.delete(child));
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]!.setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
      onOutput(stream, text);
    });
  }
  const ended = new Promise<InstalledResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) =>
      resolve({ exitCode, signal, ...said, durationMs: Date.now() - startedAtMs }),
    );
  });
  const signal = (name: NodeJS.Signals, whom: 'process' | 'group') => {
    try {
      process.kill(whom === 'group' ? -child.pid! : child.pid!, name);
    } catch {
      // It ended in the meantime.
    }
  };
  return { child, ended, signal };
}

/** Every link of this chain replaces itself by the next, so that the process that was started is Node's. */
function commandOf(run: InstalledRun): readonly string[] {
  const { node = process.execPath, through = [], environment = {} } = run;
  return [
    ...inOwnNamespaces(run),
    ...withUmask(run),
    ...asUser(run.person.user),
    ...through,
    // Only now: what a variable makes of the programs before is not the question.
    ...['env', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)],
    ...[node, join(run.installation, 'bin/buildit.js'), ...run.args],
  ];
}

/**
 * Where a program is hidden, the null device lies over it, which nobody can execute; for this run alone. Root stays the
 * machine's root; anybody else has the rights for it in a user namespace, and gives them up again.
 */
export function inOwnNamespaces({ hide = [], hostName }: Pick<InstalledRun, 'hide' | 'hostName'>): readonly string[] {
  if (hide.length === 0 && hostName === undefined) return [];
  const script = [
    'set -eu',
    ...(hostName === undefined ? [] : [`hostname '${hostName}'`]),
    ...hide.flatMap((name) => placesOf(name).map((path) => `mount --bind /dev/null '${path}'`)),
    'exec "$@"',
  ];
  const rights = testsRunAsRoot ? [] : ['--user', '--map-current-user', '--keep-caps'];
  const withoutRights = testsRunAsRoot ? [] : ['setpriv', '--ambient-caps=-all', '--inh-caps=-all'];
  const unshare = ['unshare', ...rights, '--mount', '--uts', '--propagation', 'private'];
  return [...unshare, 'sh', '-c', script.join('\n'), 'sh', ...withoutRights];
}

/** Every file that a program is found by; two directories may be one. */
function placesOf(program: string): readonly string[] {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin', '/bin'];
  const paths = directories.map((directory) => join(directory, program)).filter((path) => existsSync(path));
  return [...new Set(paths.map((path) => realpathSync(path)))];
}

function withUmask({ umask }: InstalledRun): readonly string[] {
  return umask === undefined ? [] : ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh'];
}

/** Without these a machine behind a proxy reaches nothing; they name no build input. */
const NETWORK_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'NODE_EXTRA_CA_CERTS', 'BUILDIT_DEBIAN_MIRROR'];

/** A fresh login's environment: nothing of whoever runs the tests but the way to the network. */
export function environmentOf({ person }: Pick<InstalledRun, 'person'>): Record<string, string> {
  const network = Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && NETWORK_VARIABLES.includes(name.toUpperCase()) ? [[name, value] as const] : [],
  );
  return {
    ...Object.fromEntries(network),
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: person.home,
    // Where cargo keeps what its registry says of itself; no command of cargo's tells it.
    CARGO_HOME: process.env.CARGO_HOME ?? join(homedir(), '.cargo'),
    BUILDIT_STORE: person.store,
    LC_ALL: 'C.UTF-8',
  };
}
