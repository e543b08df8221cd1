import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What `curl` is told by a container that listens on its own loopback. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A container that runs, with a network of its own that nothing else reaches. */
export interface RunningContainer {
  get(url: string): Promise<Answer>;
  /** Sends a text to a port, and answers all that comes until the other side closes. */
  say(port: number, text: string): Promise<string>;
  stop(): void;
}

/** Options for machines whose control groups are of the mixed kind, and for storage below a directory of the test's own. */
function podmanCommand(directory: string): string[] {
  return [
    'podman',
    '--cgroup-manager=cgroupfs',
    '--root',
    join(directory, 'podman'),
    '--runroot',
    join(directory, 'podman-run'),
  ];
}

const PODMAN_RUN = [
  '--network',
  'none',
  '--runtime',
  'runc',
  '--ulimit',
  'nofile=1024:1024',
  '--ulimit',
  'nproc=4096:4096',
];

/** Runs an image of an OCI layout to its end; answers what it printed. */
export function runWithPodman(directory: string, image: string, ...args: string[]): string {
  const [podman, ...options] = podmanCommand(directory);
  const run = spawnSync(podman!, [...options, 'run', '--rm', '--quiet', ...PODMAN_RUN, image, ...args], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`podman run ended with ${run.status}: ${run.stderr}`);
  return run.stdout;
}

/** Starts an image of an OCI layout under `podman --runtime runc`. */
export function startWithPodman(directory: string, image: string): RunningContainer {
  const [podman, ...options] = podmanCommand(directory);
  const started = spawnSync(podman!, [...options, 'run', '--detach', ...PODMAN_RUN, image], { encoding: 'utf8' });
  if (started.status !== 0) throw new Error(`podman run ended with ${started.status}: ${started.stderr}`);
  const id = started.stdout.trim();
  const pid = execFileSync(podman!, [...options, 'inspect', '--format', '{{.State.Pid}}', id], {
    encoding: 'utf8',
  }).trim();
  return {
    get: (url) => getInside(pid, url),
    say: (port, text) => sayInside(pid, port, text),
    stop: () => {
      spawnSync(podman!, [...options, 'rm', '--force', '--time', '1', id]);
    },
  };
}

/** The capabilities that engines give a container of root's by default; umoci gives it hardly any. */
const USUAL_CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETGID',
  'CAP_SETUID',
];

/** Unpacks an image of an OCI layout with umoci, and starts it under plain `runc`. */
export async function startWithRunc(directory: string, layout: string, tag: string): Promise<RunningContainer> {
  const bundle = join(directory, 'bundle');
  execFileSync('umoci', ['unpack', '--image', `${layout}:${tag}`, bundle]);
  const configFile = join(bundle, 'config.json');
  const config = JSON.parse(readFileSync(configFile, 'utf8'));
  config.process.terminal = false;
  config.linux.resources = {};
  for (const set of Object.keys(config.process.capabilities)) config.process.capabilities[set] = USUAL_CAPABILITIES;
  writeFileSync(configFile, JSON.stringify(config));
  const runc = (...args: string[]) =>
    spawnSync('runc', ['--root', join(directory, 'runc'), ...args], { encoding: 'utf8' });
  const child = spawn('runc', ['--root', join(directory, 'runc'), 'run', '--bundle', bundle, 'web'], {
    stdio: 'ignore',
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const pid = await waitFor(() => {
    const state = runc('state', 'web');
    return state.status === 0 ? (JSON.parse(state.stdout) as { pid: number }).pid || undefined : undefined;
  });
  execFileSync('nsenter', ['--target', `${pid}`, '--net', 'ip', 'link', 'set', 'lo', 'up']);
  return {
    get: (url) => getInside(`${pid}`, url),
    say: (port, text) => sayInside(`${pid}`, port, text),
    stop: async () => {
      runc('kill', 'web', 'KILL');
      await ended;
      runc('delete', '--force', 'web');
    },
  };
}

/** Asks from inside the container's network, with the host's curl, until somebody listens. */
async function getInside(pid: string, url: string): Promise<Answer> {
  return waitFor(() => {
    const args = ['--target', pid, '--net', 'curl', '--silent', '--insecure', '--write-out', '\n%{http_code}', url];
    const run = spawnSync('nsenter', args, { encoding: 'utf8' });
    if (run.status !== 0) return undefined;
    const end = run.stdout.lastIndexOf('\n');
    return { status: Number(run.stdout.slice(end + 1)), body: run.stdout.slice(0, end) };
  });
}

async function sayInside(pid: string, port: number, text: string): Promise<string> {
  return waitFor(() => {
    const script = 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf %s "$2" >&3 && cat <&3';
    const args = ['--target', pid, '--net', 'timeout', '5', 'bash', '-c', script, 'bash', `${port}`, text];
    const run = spawnSync('nsenter', args, { encoding: 'utf8' });
    return run.status === 0 ? run.stdout : undefined;
  });
}

async function waitFor<Value>(look: () => Value | undefined): Promise<Value> {
  for (let tries = 0; tries < 100; tries += 1) {
    const value = look();
    if (value !== undefined) return value;
    await delay(100);
  }
  throw new Error('It did not come within ten seconds');
}
