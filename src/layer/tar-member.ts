import type { Capability } from '../model/capability.ts';

/** What a member of an archive is. Devices and fifos are told, so that each consumer can refuse them by name. */
export type TarMemberType =
  | 'file'
  | 'directory'
  | 'symlink'
  | 'hardlink'
  | 'character-device'
  | 'block-device'
  | 'fifo';

/**
 * One member of an archive, its header already checked: `path` is a clean relative path (no leading or trailing slash),
 * `mode` holds the permission bits with set-id and sticky, `mtime` is in whole seconds.
 */
export interface TarMember {
  readonly type: TarMemberType;
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: number;
  /** Bytes of content; 0 for everything but files. */
  readonly size: number;
  /** Of a symbolic link its text, of a hard link the clean relative path of another member; else empty. */
  readonly target: string;
  /** Of a file, where the archive is one of buildit's own layers (`readTar`) or a recipe gives it some. */
  readonly capabilities?: readonly Capability[];
  /** Can be read once, before the next member is asked for; what is not read is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
  /** The whole content, where it is small enough to be there already; `content` then says the same. */
  readonly whole?: Uint8Array;
}

export interface MemberFacts {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
}

/** A regular file made here, to be put beside the members of an archive. */
export function fileMember(path: string, content: Uint8Array | string, facts: MemberFacts = {}): TarMember {
  const whole = typeof content === 'string' ? Buffer.from(content) : content;
  return { ...member('file', path, 0o644, facts), size: whole.length, content: once(whole), whole };
}

export function directoryMember(path: string, facts: MemberFacts = {}): TarMember {
  return member('directory', path, 0o755, facts);
}

export function symlinkMember(path: string, target: string, facts: MemberFacts = {}): TarMember {
  return { ...member('symlink', path, 0o777, facts), target };
}

function member(type: TarMemberType, path: string, mode: number, facts: MemberFacts): TarMember {
  return { type, path, mode, uid: 0, gid: 0, mtime: 0, size: 0, target: '', content: noContent, ...facts };
}

/** The content of every member that is not a file. */
export const noContent: AsyncIterable<Uint8Array> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
};

/** Content that is in memory already. */
export function once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  return new KnownContent(bytes);
}

/** A class: the generators of an object literal's method are of another kind with every literal, which slows readers. */
class KnownContent implements AsyncIterable<Uint8Array> {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    if (this.#bytes.length > 0) yield this.#bytes;
  }
}
