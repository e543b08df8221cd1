import { BuilditError } from '../model/errors.ts';
import { parseSshLocation, type SshLocation, shownLocation } from '../model/ssh-location.ts';
import { placeWriter } from './place-writer.ts';
import type { RemoteWriter } from './remote-place.ts';
import { sftpFiles } from './sftp-files.ts';
import { createSftpSessions, type SftpTransport } from './sftp-sessions.ts';
import { BeyondBuiltin, createSshConnector } from './ssh-connection.ts';
import { readSshSettings } from './ssh-settings.ts';
import { createSystemSshConnector, findSsh } from './system-ssh.ts';
import { uploadOwner } from './upload-owner.ts';

/** More than that is not asked of a server: OpenSSH allows 10 sessions for each connection. */
const SESSIONS_AT_MOST = 4;
const FILES_AT_ONCE = 128;
const IDLE_MS = 60_000;

export interface SshPlaceLocation {
  /** See `parseSshLocation`. */
  readonly path: string;
  readonly driver?: 'builtin' | 'system' | undefined;
  /** For connecting; 20 seconds by default. */
  readonly timeoutMs?: number | undefined;
}

export interface SshPlaceOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onNotice?: ((text: string) => void) | undefined;
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** For tests; `/etc/ssh/ssh_config` otherwise. */
  readonly systemConfig?: string | undefined;
  /** So long without an answer ends a connection; a minute by default. */
  readonly idleMs?: number | undefined;
}

/**
 * A directory behind SFTP. The host is talked to by ssh2 in this process, or by the system's `ssh` where that is
 * configured, or where ssh2 lacks what the host asks for. Nothing is connected to until the first question.
 *
 * @throws BuilditError `configuration-invalid` for a location that is none.
 */
export function openSshPlace(
  { path, driver = 'builtin', timeoutMs }: SshPlaceLocation,
  options: SshPlaceOptions,
): RemoteWriter {
  const location = parseSshLocation(path);
  const given = { ...options, timeoutMs };
  const connect =
    driver === 'system'
      ? createSystemSshConnector(location, { ...given, terminal: options.ask !== undefined })
      : orBySystem(createSshConnector(location, given), location, given);
  const sessions = createSftpSessions(connect, {
    atMost: SESSIONS_AT_MOST,
    idleMs: options.idleMs ?? IDLE_MS,
  });
  options.signal?.addEventListener('abort', () => sessions.close(), { once: true });
  return placeWriter(sftpFiles(sessions, location.path), {
    shown: shownLocation(location),
    atOnce: FILES_AT_ONCE,
    owner: uploadOwner(),
    signal: options.signal,
  });
}

/** Once the system's ssh was needed, it is used for the rest of the run. */
function orBySystem(
  builtin: () => Promise<SftpTransport>,
  location: SshLocation,
  options: SshPlaceOptions & { readonly timeoutMs: number | undefined },
): () => Promise<SftpTransport> {
  let chosen = builtin;
  return async () => {
    try {
      return await chosen();
    } catch (error) {
      if (!(error instanceof BeyondBuiltin)) throw error;
      if (findSsh(options.environment) === undefined) throw error.failure;
      const { undecided, jumps } = readSshSettings(location, options);
      if (undecided) throw leftToTheUser(error.failure);
      options.onNotice?.(`${error.failure.message}; the system's ssh is used instead`);
      chosen = createSystemSshConnector(location, { ...options, terminal: options.ask !== undefined, jumps });
      return chosen();
    }
  };
}

/** The system's ssh would run what `Match exec` names, which nobody has asked for. */
function leftToTheUser(failure: BuilditError): BuilditError {
  return new BuilditError(failure.code, failure.message, {
    hint: '"driver: system" at this place lets the system\'s ssh connect, which also runs "Match exec" of ~/.ssh/config',
    cause: failure,
  });
}
