import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { programPath } from './requires.ts';

/** A real sshd on loopback with a host key of its own, that lets one key in. */
export interface Sshd {
  readonly port: number;
  /** The directory in which SFTP starts. */
  readonly directory: string;
  /** `user@127.0.0.1:PORT`, to put a path behind. */
  readonly at: string;
  /** A home directory with `.ssh/id_ed25519` and `.ssh/known_hosts` for this server. */
  readonly home: string;
  /** Line for known_hosts: `[127.0.0.1]:PORT ssh-ed25519 …`. */
  readonly hostLine: string;
  /** The host key's public half, `ssh-ed25519 …`. */
  readonly hostKey: string;
  /** The sshd itself and the sessions it started. */
  stop(): Promise<void>;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
}

export interface SshdOptions {
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
  /** Lets connections go through to other ports, as the host of a ProxyJump must. */
  readonly forwarding?: boolean;
  /** A home directory that has a key already; its known_hosts gets another line. */
  readonly home?: string;
  /** Where SFTP starts; a fresh directory otherwise. */
  readonly directory?: string;
}

/** A sshd that is gone with the test. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const sshd = await launchSshd(options);
  onTestFinished(sshd.remove);
  return sshd;
}

export async function launchSshd(options: SshdOptions = {}): Promise<Sshd> {
  const work = mkdtempSync(join(tmpdir(), 'buildit-sshd-'));
  const directory = options.directory ?? join(work, 'served');
  mkdirSync(directory, { recursive: true });
  const home = options.home ?? join(work, 'home');
  const key = join(home, '.ssh/id_ed25519');
  if (!existsSync(key)) makeKey(key);
  makeKey(join(work, 'host_key'));
  cpSync(`${key}.pub`, join(work, 'authorized_keys'));
  const port = await freePort();
  writeFileSync(join(work, 'sshd_config'), configuration(work, directory, port, options));
  const account = serverAccount();
  chownSync(directory, account.uid, account.gid);
  chmodSync(work, 0o755);
  // A sshd of root wants this directory, which the distribution's service makes at its start.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const sshd = spawn(programPath('sshd')!, ['-D', '-e', '-f', join(work, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  sshd.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  const stop = () => stopped(sshd);
  const remove = async () => {
    await stop();
    rmSync(work, { recursive: true, force: true, maxRetries: 3 });
  };
  await listening(port, () => said).catch(async (error) => {
    await remove();
    throw error;
  });
  const hostKey = readFileSync(join(work, 'host_key.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  const hostLine = `[127.0.0.1]:${port} ${hostKey}`;
  writeFileSync(join(home, '.ssh/known_hosts'), `${hostLine}\n`, { flag: 'a' });
  return { port, directory, at: `${account.name}@127.0.0.1:${port}`, home, hostLine, hostKey, stop, remove };
}

/** Who logs in, never root: the server's files are theirs. */
export function serverAccount(): { readonly name: string; readonly uid: number; readonly gid: number } {
  if (process.getuid?.() === 0) return { name: 'nobody', uid: 65_534, gid: 65_534 };
  const { username: name, uid, gid } = userInfo();
  return { name, uid, gid };
}

/** Makes an ed25519 key without a passphrase, or with one. */
export function makeKey(path: string, passphrase = ''): void {
  mkdirSync(join(path, '..'), { recursive: true });
  chmodSync(join(path, '..'), 0o700);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'test', '-f', path]);
}

function configuration(
  work: string,
  directory: string,
  port: number,
  { config = [], forwarding }: SshdOptions,
): string {
  // The first value counts, so the test's own lines come first.
  return [
    ...config,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(work, 'host_key')}`,
    'PidFile none',
    `AuthorizedKeysFile ${join(work, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    `AllowTcpForwarding ${forwarding === true ? 'local' : 'no'}`,
    'Subsystem sftp internal-sftp',
    `ForceCommand internal-sftp -d ${directory}`,
    'LogLevel ERROR',
    '',
  ].join('\n');
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until somebody listens at the port. */
export async function listening(port: number, said: () => string = () => ''): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error(`Nobody listens at port ${port}; the server said: ${said()}`);
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  for (const pid of childrenOf(child.pid!)) killIfThere(pid);
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await end;
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function killIfThere(pid: number): void {
  for (const child of childrenOf(pid)) killIfThere(child);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
