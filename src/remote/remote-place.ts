/**
 * A directory in another place, by relative paths with `/` that buildit made itself: a name from a server never becomes
 * part of one. Every failure is a `BuilditError`: `unreachable` (no answer, time-out, connection lost),
 * `authentication-failed` (keys, host keys), `input-invalid` (longer than allowed), `cannot-write` (refused, full,
 * read-only).
 */
export interface RemoteReader {
  /** As messages name it, without credentials: `https://host/path`, `ssh://user@host/path`, `/mnt/containers`. */
  readonly shown: string;
  /** A small file, whole. `unchanged` only where an `etag` was given. */
  read(path: string, options: RemoteReadOptions): Promise<RemoteFile | 'missing' | 'unchanged'>;
  /** A large file from `offset` on, as it arrives. The bytes are not verified. */
  open(path: string, options: RemoteOpenOptions): Promise<AsyncIterable<Uint8Array> | 'missing'>;
  /** Lets go of connections. */
  close(): Promise<void>;
}

export interface RemoteReadOptions {
  /** More than this is refused with `input-invalid`. */
  readonly maximumBytes: number;
  /** What `RemoteFile.etag` was when the reader's own copy was made. */
  readonly etag?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RemoteFile {
  readonly bytes: Buffer;
  /** Stands for these bytes at this place; undefined where the place has nothing of the kind. */
  readonly etag: string | undefined;
}

export interface RemoteOpenOptions {
  readonly offset: number;
  /** Bytes from `offset` to the end, as a verified index says. More is refused. */
  readonly size: number;
  readonly signal?: AbortSignal | undefined;
}

export interface RemoteStat {
  readonly kind: 'file' | 'directory' | 'other';
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970 by the place's clock. */
  readonly mtime: number;
}

/**
 * A directory that can be written to. Parent directories are made as needed. Nothing is ever seen half written: contents
 * go to a temporary name in `.incoming/` first. What is a symbolic link or a file where a directory is expected is refused.
 * All may be called many at a time; an implementation limits what is in flight itself.
 */
export interface RemoteWriter extends RemoteReader {
  /** Undefined where there is nothing. Does not follow symbolic links. */
  stat(path: string): Promise<RemoteStat | undefined>;
  /**
   * Entries of a directory, of the place itself for '', in the order of their names; none where it is missing. Names are
   * the server's: check each.
   */
  list(path: string): Promise<readonly ({ readonly name: string } & RemoteStat)[]>;
  /** Writes a file whose name says what is in it, from its start or from where an earlier upload was cut. */
  put(path: string, content: RemoteContent): Promise<void>;
  /** Creates a small file; false, and nothing changed, where the name is taken. Of many at once exactly one wins. */
  create(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Creates a small file or replaces it in one step. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Sets the time of a file to now, so that garbage collection leaves it alone. */
  touch(path: string): Promise<void>;
  /** Removes a file; nothing happens where it is missing. */
  remove(path: string): Promise<void>;
  /** The place's own clock in seconds since 1970: that of a file just made. */
  now(): Promise<number>;
}

export interface RemoteContent {
  /** Bytes. */
  readonly size: number;
  /** Names the unfinished upload, so that a later one goes on with it: the digest of the content. */
  readonly digest: string;
  /** The content from an offset on; may be asked for several times. */
  readonly from: (offset: number) => AsyncIterable<Uint8Array>;
  readonly onProgress?: ((done: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}
