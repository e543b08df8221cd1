import type { RemoteStat } from './remote-place.ts';

/**
 * The plain file operations that a place offers, below `RemoteWriter`'s promises. Paths are relative to the place, `''`
 * being the place itself. Failures are `PlaceFault`s; `BuilditError`s (authentication, time-outs) pass through.
 */
export interface PlaceFiles {
  /** Undefined where there is nothing; does not follow a symbolic link at the end of the path. */
  lstat(path: string): Promise<RemoteStat | undefined>;
  list(path: string): Promise<readonly ({ readonly name: string } & RemoteStat)[]>;
  /** Fails with `taken` where there is something already. */
  makeDirectory(path: string): Promise<void>;
  /** Makes the place itself, with its parents, where it is missing. */
  makeRoot(): Promise<void>;
  /** Opens for reading; `offset` is where reading will begin. */
  openFile(path: string, offset: number): Promise<OpenFile>;
  /**
   * Writes a file from an offset on and brings it to the disk. Offset 0 creates it, and is `taken` where there is
   * something; any other needs it to be there. Gives its size afterwards.
   */
  write(path: string, offset: number, chunks: AsyncIterable<Uint8Array>): Promise<number>;
  /** A second name for a file; `taken` where the name is there. `unsupported` where the place has no such thing. */
  link(from: string, to: string): Promise<void>;
  /** Never replaces: `taken` where the new name is there. */
  rename(from: string, to: string): Promise<void>;
  /** Replaces what is there in one step, where the place can do that. */
  renameOver(from: string, to: string): Promise<void>;
  /** Sets the modification time, in seconds since 1970. */
  setTime(path: string, seconds: number): Promise<void>;
  remove(path: string): Promise<void>;
  close(): Promise<void>;
}

/** A file opened for reading. `read` may be called once. */
export interface OpenFile {
  /** Bytes. */
  readonly size: number;
  /** See `RemoteFile.etag`. */
  readonly etag: string | undefined;
  /** The bytes in `[offset, end)`, as they arrive; fewer where the file ends earlier. Closes the file. */
  read(offset: number, end: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

export type PlaceFaultKind =
  | 'missing'
  | 'taken'
  | 'denied'
  /** No file, or no directory, where one is expected. */
  | 'kind'
  | 'full'
  | 'read-only'
  | 'unsupported'
  /** The connection is gone; the same may work over a new one. */
  | 'lost'
  | 'other';

/** Why a plain operation failed; never leaves this folder. */
export class PlaceFault extends Error {
  readonly kind: PlaceFaultKind;
  /** The directory that could not be made, relative to the place: `''` is the place itself, `..` its parent. */
  readonly creating: string | undefined;

  constructor(kind: PlaceFaultKind, message: string, cause?: unknown, creating?: string) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.creating = creating;
  }
}

/** The same fault, said of the directory that could not be made. */
export function creatingFault(error: unknown, directory: string): unknown {
  if (!(error instanceof PlaceFault) || error.creating !== undefined) return error;
  if (error.kind === 'lost' || error.kind === 'taken') return error;
  return new PlaceFault(error.kind, error.message, error, directory);
}

/** Tells whether something thrown is a fault of that kind. */
export function isFault(error: unknown, ...kinds: readonly PlaceFaultKind[]): error is PlaceFault {
  return error instanceof PlaceFault && kinds.includes(error.kind);
}
