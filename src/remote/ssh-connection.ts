import type { Duplex } from 'node:stream';
import type { Client, ConnectConfig } from 'ssh2';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { SshLocation } from '../model/ssh-location.ts';
import { hostKeyFailure } from './host-key-failure.ts';
import { hostKeyAlgorithms, judgeHostKey, readKnownHosts } from './known-hosts.ts';
import { PlaceFault } from './place-files.ts';
import type { SftpTransport } from './sftp-sessions.ts';
import { type SshTarget, sshArguments } from './ssh-arguments.ts';
import {
  createSshAuthentication,
  type SshAuthentication,
  type SshAuthenticationOptions,
} from './ssh-authentication.ts';
import { readSshSettings, type SshSettings, type SshSettingsOptions } from './ssh-settings.ts';

export interface SshConnectionOptions extends SshSettingsOptions, SshAuthenticationOptions {
  /** Until the host has let us in, without the time a person takes to answer; 20 seconds by default. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The host and ssh2 have no algorithm in common, or only a certificate vouches for the host or the user, or a key lies in
 * a device: the system's ssh may do.
 */
export class BeyondBuiltin extends Error {
  readonly failure: BuilditError;

  constructor(failure: BuilditError) {
    super(failure.message, { cause: failure });
    this.failure = failure;
  }
}

const DEFAULT_TIMEOUT_MS = 20_000;
const KEEPALIVE_MS = 15_000;
const MOST_JUMPS = 8;

/** Connects to one place again and again: nobody is asked for a passphrase twice. */
export function createSshConnector(location: SshLocation, options: SshConnectionOptions): () => Promise<SftpTransport> {
  const known = new Map<string, SshAuthentication>();
  return async () => {
    const ssh2 = (await import('ssh2')).default;
    const hops = [...hopsTo(location, options, 0)];
    const clients: Client[] = [];
    const closeAll = () => {
      for (const client of clients.toReversed()) client.end();
    };
    try {
      for (const settings of hops) {
        const via = clients.length === 0 ? undefined : await forward(clients.at(-1)!, settings);
        const key = JSON.stringify([settings.user, settings.host, settings.port]);
        if (!known.has(key)) known.set(key, createSshAuthentication(ssh2, settings, options));
        clients.push(await connectOnce({ ssh2, settings, via, authentication: known.get(key)!, options }));
      }
    } catch (error) {
      closeAll();
      throw error;
    }
    return transportOf(clients.at(-1)!, closeAll);
  };
}

/** The hosts to be gone through, the place's own last. */
function hopsTo(location: SshLocation, options: SshConnectionOptions, depth: number): readonly SshSettings[] {
  const settings = readSshSettings(location, options);
  if (depth > 0 && settings.jumps.length > 0 && depth >= MOST_JUMPS) {
    throw new BuilditError(
      'configuration-invalid',
      `Cannot connect to "${location.host}": expected at most ${MOST_JUMPS} hosts to go through, found a longer way`,
      { hint: 'look for a circle of ProxyJump lines in ~/.ssh/config' },
    );
  }
  // Only the first of several hosts is reached by its own ProxyJump; the others by the host before them.
  const before = settings.jumps.flatMap((jump, index) =>
    index === 0 ? hopsTo(jump, options, depth + 1) : [readSshSettings(jump, options)],
  );
  return [...before, settings];
}

function forward(client: Client, settings: SshSettings): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, settings.host, settings.port, (error, stream) => {
      if (error === undefined) resolve(stream);
      else reject(unreachable(settings, `no way there from the host before it (${printable(error.message)})`, error));
    });
  });
}

interface Connecting {
  readonly ssh2: typeof import('ssh2');
  readonly settings: SshSettings;
  readonly via: Duplex | undefined;
  readonly authentication: SshAuthentication;
  readonly options: SshConnectionOptions;
}

function connectOnce({ ssh2, settings, via, authentication, options }: Connecting): Promise<Client> {
  const lines = readKnownHosts(settings.knownHostsFiles);
  const client = new ssh2.Client();
  const timer = pausableTimer(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  let refusedKey: unknown;

  return new Promise<Client>((resolve, reject) => {
    const fail = (error: unknown) => {
      timer.stop();
      client.destroy();
      reject(error);
    };
    timer.start(() => fail(unreachable(settings, 'no answer in time')));
    const stop = () => fail(new BuilditError('interrupted', `Cannot connect to "${settings.named}": interrupted`));
    if (options.signal?.aborted === true) return stop();
    options.signal?.addEventListener('abort', stop, { once: true });
    client.on('connect', () => client.setNoDelay(true));
    client.on('ready', () => {
      timer.stop();
      resolve(client);
    });
    client.on('error', (error: Error & { level?: string; code?: string }) => {
      // An agent that breaks is one source of keys less.
      if (error.level === 'agent') return;
      fail(refusedKey ?? connectionFailure(error, settings, authentication));
    });
    client.on('close', () => fail(unreachable(settings, 'a connection closed by the other side')));
    client.connect({
      host: settings.host,
      port: settings.port,
      username: settings.user,
      ...(via === undefined ? {} : { sock: via as NonNullable<ConnectConfig['sock']> }),
      readyTimeout: 0,
      keepaliveInterval: KEEPALIVE_MS,
      keepaliveCountMax: 4,
      algorithms: {
        serverHostKey: [...hostKeyAlgorithms(settings.knownAs, lines)] as never,
      },
      hostVerifier: (key: Buffer) => {
        const verdict = judgeHostKey(settings.knownAs, key, lines);
        const [knownHostsFile] = settings.knownHostsFiles;
        const { knownAs, named, port } = settings;
        const failure = hostKeyFailure(verdict, { name: knownAs[0], named, port, key, knownHostsFile });
        const byCertificate = 'authority' in verdict && verdict.authority !== undefined;
        refusedKey = byCertificate && failure !== undefined ? new BeyondBuiltin(failure) : failure;
        return failure === undefined;
      },
      authHandler: authentication.handler((paused) => (paused ? timer.pause() : timer.resume())),
    });
  });
}

function connectionFailure(
  error: Error & { level?: string; code?: string },
  settings: SshSettings,
  authentication: SshAuthentication,
): unknown {
  if (error.level === 'client-authentication' || /Too many authentication failures/i.test(error.message)) {
    const failure = authentication.failure(error);
    return authentication.isBeyond ? new BeyondBuiltin(failure) : failure;
  }
  if (error.level === 'handshake' && /no matching/.test(error.message)) {
    return new BeyondBuiltin(
      unreachable(settings, `none in common (${printable(error.message)})`, error, 'an algorithm'),
    );
  }
  const text = networkTexts[error.code ?? ''] ?? printable(error.message);
  return unreachable(settings, text, error);
}

const networkTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no network',
  ENOTFOUND: 'an unknown host name',
  EAI_AGAIN: 'no answer from the name server',
  ETIMEDOUT: 'no connection in time',
};

function unreachable(
  { named, port }: SshTarget,
  found: string,
  cause?: unknown,
  expected = 'an SSH server',
): BuilditError {
  return new BuilditError('unreachable', `Cannot connect to "${named}": expected ${expected}, found ${found}`, {
    hint: `try "ssh ${sshArguments({ named, port })}"`,
    cause,
  });
}

function transportOf(client: Client, close: () => void): SftpTransport {
  const streams = new Set<Duplex>();
  let isLost = false;
  const lose = () => {
    isLost = true;
    for (const stream of streams) stream.emit('close');
    streams.clear();
    close();
  };
  client.removeAllListeners('close').on('close', lose);
  client.removeAllListeners('error').on('error', lose);
  return {
    get isLost() {
      return isLost;
    },
    close,
    openSession: () =>
      new Promise((resolve, reject) => {
        if (isLost) return reject(new PlaceFault('lost', 'a connection closed by the other side'));
        client.subsys('sftp', (error, stream) => {
          if (error !== undefined && error !== null) {
            return reject(new PlaceFault('other', `a server without SFTP (${printable(error.message)})`, error));
          }
          // What the server says beside the protocol is for nobody.
          stream.stderr?.resume();
          streams.add(stream);
          resolve(stream);
        });
      }),
  };
}

/** A time-out that does not count while a person thinks. */
function pausableTimer(ms: number) {
  let timer: NodeJS.Timeout | undefined;
  let onEnd = () => {};
  const resume = () => {
    clearTimeout(timer);
    timer = setTimeout(onEnd, ms);
  };
  return {
    start(end: () => void) {
      onEnd = end;
      resume();
    },
    pause: () => clearTimeout(timer),
    resume,
    stop: () => clearTimeout(timer),
  };
}
