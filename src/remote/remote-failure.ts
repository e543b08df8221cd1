import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { PlaceFault } from './place-files.ts';

/** The error that a user sees for a fault of a place; anything else comes back as it is. */
export function remoteFailure(error: unknown, { verb, shown, path }: RemoteAttempt): unknown {
  if (!(error instanceof PlaceFault)) return error;
  const object = shownPath(shown, path);
  if (error.kind === 'lost') {
    // A new connection that failed says best why.
    if (error.cause instanceof BuilditError) return error.cause;
    return new BuilditError('unreachable', `Cannot ${verb} "${object}": expected an answer, found ${error.message}`, {
      hint: 'run again: what was uploaded is kept, and an upload goes on where it was cut',
      cause: error,
    });
  }
  if (error.creating !== undefined) {
    return new BuilditError(
      'cannot-write',
      `Cannot create "${shownDirectory(shown, error.creating)}": expected a directory that this user may make, found ${printable(error.message)}`,
      { hint: hintFor(error), cause: error },
    );
  }
  const expected = verb === 'read' ? 'a file this user may read' : 'a place this user may write to';
  return new BuilditError(
    verb === 'read' ? 'unreachable' : 'cannot-write',
    `Cannot ${verb} "${object}": expected ${expected}, found ${printable(error.message)}`,
    { hint: hintFor(error), cause: error },
  );
}

export interface RemoteAttempt {
  readonly verb: 'read' | 'write' | 'list' | 'remove';
  readonly shown: string;
  readonly path: string;
}

const hints: Readonly<Partial<Record<PlaceFault['kind'], string>>> = {
  full: 'free some space there, or ask for a larger quota',
  'read-only': 'the file system there is mounted read-only',
};

/** SFTP has one status for most failures; servers say the same word with it. */
function hintFor({ kind, message }: PlaceFault): string | undefined {
  if (kind === 'other' && /^"?failure"?$/i.test(message)) {
    return 'the server gives no reason; often a quota is used up, or its file system does not allow the name: try the same with sftp';
  }
  return hints[kind];
}

function shownDirectory(shown: string, directory: string): string {
  const up = directory.split('/').filter((element) => element === '..').length;
  if (up === 0) return shownPath(shown, directory);
  const elements = shown.replace(/\/$/, '').split('/');
  return printable(elements.slice(0, -up).join('/'));
}

/** More than was allowed, or than an index says: never used. */
export function longerThanAllowed(shown: string, path: string, allowed: number): BuilditError {
  return new BuilditError(
    'input-invalid',
    `Cannot read "${shownPath(shown, path)}": expected at most ${allowed} bytes, found more`,
  );
}

export function shownPath(shown: string, path: string): string {
  return printable(path === '' ? shown : `${shown.replace(/\/$/, '')}/${path}`);
}

/** What a stopped run says. */
export function throwIfStopped(signal: AbortSignal | undefined, { verb, shown, path }: RemoteAttempt): void {
  if (signal?.aborted !== true) return;
  throw new BuilditError('interrupted', `Cannot ${verb} "${shownPath(shown, path)}": interrupted`);
}
