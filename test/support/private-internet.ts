import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programPath } from './requires.ts';

export interface Certificate {
  readonly certificatePath: string;
  readonly keyPath: string;
}

export interface Authority {
  /** PEM file of the authority itself. */
  readonly caPath: string;
  /** The same as text. */
  readonly ca: string;
  /** A certificate for host names and addresses, with its key; made anew each time. */
  certificateFor(names: readonly string[]): Certificate;
}

/** A certificate authority of the test's own, in a directory; everything it signs ends in two days. Needs `openssl`. */
export function makeAuthority(directory: string): Authority {
  const caPath = join(directory, 'authority.pem');
  const caKey = join(directory, 'authority.key');
  openssl([
    ...[
      'req',
      '-x509',
      ...NEW_KEY,
      '-keyout',
      caKey,
      '-out',
      caPath,
      '-days',
      '2',
      '-subj',
      '/CN=buildit test authority',
    ],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
  let made = 0;
  return {
    caPath,
    ca: readFileSync(caPath, 'utf8'),
    certificateFor(names) {
      made += 1;
      const at = (ending: string) => join(directory, `host-${made}.${ending}`);
      const [keyPath, requestPath, extensionsPath, certificatePath] = [at('key'), at('csr'), at('ext'), at('pem')];
      const alternatives = names.map((name) => `${/^[\d.]+$|:/.test(name) ? 'IP' : 'DNS'}:${name}`);
      writeFileSync(extensionsPath, `subjectAltName=${alternatives.join(',')}\nextendedKeyUsage=serverAuth\n`);
      openssl(['req', ...NEW_KEY, '-keyout', keyPath, '-out', requestPath, '-subj', '/CN=buildit test host']);
      openssl([
        ...['x509', '-req', '-in', requestPath, '-CA', caPath, '-CAkey', caKey, '-CAcreateserial'],
        ...['-days', '2', '-extfile', extensionsPath, '-out', certificatePath],
      ]);
      return { certificatePath, keyPath };
    },
  };
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function openssl(argv: readonly string[]): void {
  execFileSync('openssl', argv, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** The programs of `runInPrivateInternet`, for `requires(…)`. */
export const PRIVATE_INTERNET_TOOLS = ['unshare', 'ip', 'user namespaces'] as const;

export interface PrivateInternet {
  /** Names that are 127.0.0.1 in there; nothing else has an address. */
  readonly hosts: readonly string[];
  /** Program and arguments. Servers that it starts end with it, and may bind any port. */
  readonly command: readonly string[];
  readonly cwd?: string | undefined;
  /** In place of the tests' own environment, besides PATH, HOME and the variables of the authority. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** PEM file of the authority that Node, git and OpenSSL trust in there. */
  readonly caPath?: string | undefined;
  /** Files and directories that lie over others in there: source and target, both existing. */
  readonly binds?: readonly (readonly [source: string, target: string])[] | undefined;
  /** After that everything in there is killed; five minutes by default. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Runs a command in network, mount and process namespaces of its own, with a loopback and nothing else, as the user who
 * runs the tests: for root without a user namespace, so that servers may change their user; for others with one.
 */
export async function runInPrivateInternet(
  internet: PrivateInternet,
): Promise<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }> {
  const scratch = mkdtempSync(join(tmpdir(), 'buildit-internet-'));
  try {
    const hosts = join(scratch, 'hosts');
    writeFileSync(hosts, `127.0.0.1 localhost ${internet.hosts.join(' ')}\n`, { mode: 0o644 });
    const [program, ...argv] = privateInternetCommand(internet, hosts);
    const child = spawn(program!, argv, {
      cwd: internet.cwd,
      env: environmentOf(internet),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: internet.timeoutMs ?? 300_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    return { exitCode, stdout, stderr };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * $1: the program that brings up the loopback; $2: how many binds; then sources and targets, then the command. The shell
 * stays: as the first process in there it takes leave of those whose parents are gone.
 */
const SET_UP = `set -e
"$1" link set lo up
# Below /proc/sys/net lies the network of whoever looks.
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
left=$2
shift 2
while [ "$left" -gt 0 ]; do
  mount --bind "$1" "$2"
  shift 2
  left=$((left - 1))
done
"$@"`;

function privateInternetCommand({ command, binds = [] }: PrivateInternet, hosts: string): readonly string[] {
  const isRoot = process.getuid!() === 0;
  const ip = programPath('ip');
  if (ip === undefined) throw new Error('This machine lacks ip of iproute2');
  const all = [[hosts, '/etc/hosts'] as const, ...binds];
  // An ordinary user is root for the set-up alone: a second user namespace gives back the own number.
  const asBefore = ['unshare', '--user', `--map-user=${process.getuid!()}`, `--map-group=${process.getgid!()}`, '--'];
  return [
    ...['unshare', ...(isRoot ? [] : ['--map-root-user']), '--net', '--mount', '--pid', '--fork', '--kill-child'],
    ...['--mount-proc', '--', '/bin/sh', '-c', SET_UP, 'sh', ip, String(all.length), ...all.flat()],
    ...(isRoot ? [] : asBefore),
    ...command,
  ];
}

function environmentOf({ environment, caPath }: PrivateInternet): NodeJS.ProcessEnv {
  const authority =
    caPath === undefined ? {} : { NODE_EXTRA_CA_CERTS: caPath, GIT_SSL_CAINFO: caPath, SSL_CERT_FILE: caPath };
  return { PATH: process.env.PATH, HOME: process.env.HOME, ...authority, ...environment };
}
