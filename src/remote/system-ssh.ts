import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type SshLocation, shownLocation } from '../model/ssh-location.ts';
import { findProgram } from '../system/programs.ts';
import { findAccount } from '../system/user-directories.ts';
import type { SftpTransport } from './sftp-sessions.ts';
import { sshArguments } from './ssh-arguments.ts';
import { DEFAULT_IDENTITIES } from './ssh-settings.ts';

export interface SystemSshOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** Somebody is there to answer what ssh asks on the terminal. */
  readonly terminal: boolean;
  /**
   * The way to the host where the user did not ask for the system's ssh: hosts to go through, and no command at all.
   * Undefined where what the user configured counts.
   */
  readonly jumps?: readonly SshLocation[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The host's `ssh` program. */
export function findSsh(environment: SystemSshOptions['environment']): string | undefined {
  return findProgram('ssh', { PATH: environment.PATH });
}

/** Connects with the system's `ssh -s HOST sftp`: all that the user configured for it counts. */
export function createSystemSshConnector(
  location: SshLocation,
  options: SystemSshOptions,
): () => Promise<SftpTransport> {
  return async () => {
    const program = findSsh(options.environment);
    if (program === undefined) {
      throw new BuilditError(
        'configuration-invalid',
        `Cannot connect to "${location.host}": expected the program ssh, found none`,
        { hint: 'install openssh-client, or leave out "driver: system"' },
      );
    }
    return startTransport(program, location, options);
  };
}

/**
 * `ssh` checks host keys as strictly as buildit does itself, asks nothing where there is no terminal, and opens nothing
 * besides SFTP. Nothing from the location can be an option: options come before `--`.
 */
export function systemSshArguments(
  { user, host, port }: SshLocation,
  { home, timeoutMs = 20_000, terminal, jumps }: Omit<SystemSshOptions, 'environment'>,
): readonly string[] {
  const fixed = [
    `BatchMode=${terminal ? 'no' : 'yes'}`,
    `ConnectTimeout=${Math.max(1, Math.ceil(timeoutMs / 1000))}`,
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    'ServerAliveInterval=15',
    'ServerAliveCountMax=4',
    'ClearAllForwardings=yes',
    'ForwardAgent=no',
    'ForwardX11=no',
    'PermitLocalCommand=no',
    'RemoteCommand=none',
    'RequestTTY=no',
    'NumberOfPasswordPrompts=1',
    'LogLevel=ERROR',
  ];
  return [
    ...configurationOf(home),
    ...[...fixed, ...(jumps === undefined ? [] : wayThrough(jumps))].map((option) => `-o${option}`),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '-s',
    '--',
    host,
    'sftp',
  ];
}

/** The first value of an option counts, and these come before any file's. */
function wayThrough(jumps: readonly SshLocation[]): readonly string[] {
  const hosts = jumps.map(jumpArgument);
  return [jumps.length === 0 ? 'ProxyCommand=none' : `ProxyJump=${hosts.join(',')}`, 'KnownHostsCommand=none'];
}

/** ssh makes a command for a shell of it, without quotes: a user or host that a shell would change cannot be named. */
function jumpArgument(jump: SshLocation): string {
  const shown = shownLocation(jump).replace(/\/$/, '');
  if (/^[A-Za-z0-9._@-]*$/.test(jump.user ?? '') && /^[A-Za-z0-9._:-]+$/.test(jump.host)) {
    return jump.user === undefined ? shown : shown.replace(`${jump.user}@`, `${encodeURIComponent(jump.user)}@`);
  }
  throw new BuilditError(
    'configuration-invalid',
    `Cannot go through "${shown}" by the system's ssh: expected a user and a host without special characters`,
    { hint: 'give the host a Host block with User and HostName in ~/.ssh/config, and "driver: system" to this place' },
  );
}

/** ssh itself looks into the home directory of the account, whatever HOME says. */
function configurationOf(home: string | undefined): readonly string[] {
  if (home === undefined || home === findAccount()?.home) return [];
  const config = join(home, '.ssh/config');
  const files = (names: readonly string[]) => names.map((name) => join(home, '.ssh', name));
  const identities = files(DEFAULT_IDENTITIES).filter((file) => existsSync(file));
  return [
    '-F',
    existsSync(config) ? config : '/dev/null',
    `-oUserKnownHostsFile=${files(['known_hosts', 'known_hosts2']).join(' ')}`,
    ...identities.map((file) => `-oIdentityFile=${file}`),
  ];
}

function startTransport(program: string, location: SshLocation, options: SystemSshOptions): SftpTransport {
  let child: ChildProcess | undefined;
  let said = '';
  let ended: Promise<number | null> = Promise.resolve(null);
  let isLost = false;
  return {
    sessionsAtMost: 1,
    get isLost() {
      return isLost;
    },
    close() {
      child?.stdin?.end();
      child?.kill();
    },
    async openSession() {
      const started = spawn(program, systemSshArguments(location, options), {
        env: options.environment as NodeJS.ProcessEnv,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      child = started;
      options.signal?.addEventListener('abort', () => started.kill(), { once: true });
      started.stderr.on('data', (chunk) => {
        said = (said + chunk).slice(-4000);
      });
      ended = new Promise((resolve) => {
        started.on('error', () => resolve(null));
        started.on('close', resolve);
      });
      ended.then(() => {
        isLost = true;
      });
      // Its end is seen at the other half; a broken pipe is no news.
      started.stdin.on('error', () => {});
      return joined(started.stdout, started.stdin);
    },
    async failure() {
      const code = await Promise.race([
        ended,
        new Promise<'running'>((resolve) => setTimeout(resolve, 1000, 'running')),
      ]);
      return code === 'running' ? undefined : systemSshFailure(location, said);
    },
  };
}

/** Two halves of a child process as one stream; data passes through without another buffer. */
function joined(readable: NodeJS.ReadableStream, writable: NodeJS.WritableStream): Duplex {
  const stream = new Duplex({
    read: () => {
      readable.resume();
    },
    write: (chunk, _encoding, callback) => {
      if (writable.write(chunk)) callback();
      else writable.once('drain', callback);
    },
    final: (callback) => {
      writable.end();
      callback();
    },
    destroy: (error, callback) => {
      writable.end();
      callback(error);
    },
  });
  readable.on('data', (chunk) => {
    if (!stream.push(chunk)) readable.pause();
  });
  readable.on('end', () => stream.push(null));
  return stream;
}

function systemSshFailure(location: SshLocation, said: string): BuilditError {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const details = lines.slice(-12).map((line) => printable(line.trimEnd()));
  const isRefusal = /Permission denied|Host key verification failed|host key is known|REVOKED|Too many auth/i.test(
    said,
  );
  return new BuilditError(
    isRefusal ? 'authentication-failed' : 'unreachable',
    `Cannot connect to "${printable(location.host)}": expected an SFTP session by the system's ssh, found ${
      details.at(-1) === undefined ? 'that it ended' : `"${details.at(-1)}"`
    }`,
    { details: details.slice(0, -1), hint: hintFor(location, said) },
  );
}

function hintFor({ user, host, port }: SshLocation, said: string): string {
  if (/No user exists for uid/.test(said)) {
    return 'the system\'s ssh needs an entry of this uid in /etc/passwd; leave out "driver: system" to do without';
  }
  return `try "ssh -v ${sshArguments({ user, named: host, port })}"`;
}
