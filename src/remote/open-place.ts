import { closedAtEnd } from '../system/at-end.ts';
import { openFilePlace } from './open-file-place.ts';
import { openHttpsPlace } from './open-https-place.ts';
import type { RemoteReader, RemoteWriter } from './remote-place.ts';

export interface ReadLocation {
  readonly type: 'https' | 'http' | 'ssh' | 'file';
  /** `host[:port]/path`, `user@host[:port]/path`, or a directory. */
  readonly path: string;
  readonly timeoutMs?: number | undefined;
  /** https: PEM text of the only authorities that are trusted for this place. */
  readonly ca?: string | undefined;
  /** Plain http to another machine than this one too. */
  readonly insecure?: boolean | undefined;
  /** See `WriteLocation`. */
  readonly driver?: 'builtin' | 'system' | undefined;
}

export interface WriteLocation {
  readonly type: 'ssh' | 'file';
  readonly path: string;
  readonly timeoutMs?: number | undefined;
  /** ssh: by ssh2 in this process (the default), or by the system's `ssh` program with all the user configured for it. */
  readonly driver?: 'builtin' | 'system' | undefined;
}

export interface PlaceOptions {
  /** Values of environment variables: PATH, SSH_AUTH_SOCK, and what `~/.ssh/config` names. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's home directory, with `.ssh` below it; undefined where there is none. */
  readonly home: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what the user had better know: another driver is used, a file was passed over. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Asks on the terminal without showing the answer; undefined where there is no terminal. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
}

/** A place to read from. Nothing is connected to until the first question; it is closed when the process ends, or before. */
export async function openReader(location: ReadLocation, options: PlaceOptions): Promise<RemoteReader> {
  switch (location.type) {
    case 'https':
    case 'http': {
      const { type, path, timeoutMs, ca, insecure } = location;
      return openHttpsPlace({ scheme: type, path, timeoutMs, ca, insecure, signal: options.signal });
    }
    case 'ssh':
    case 'file':
      return openWriter({ ...location, type: location.type }, options);
  }
}

/** A place to write to (and read from), as `openReader` opens one. */
export async function openWriter(location: WriteLocation, options: PlaceOptions): Promise<RemoteWriter> {
  switch (location.type) {
    case 'file':
      return openFilePlace(location.path);
    case 'ssh': {
      const { openSshPlace } = await import('./open-ssh-place.ts');
      const place = openSshPlace(location, options);
      return { ...place, close: closedAtEnd(() => place.close()) };
    }
  }
}
