import { decompress } from '../layer/decompress.ts';
import { readTar } from '../layer/read-tar.ts';
import { fileMember, type TarMember } from '../layer/tar-member.ts';
import type { OpenedDeb } from './open-deb.ts';
import { statusEntryPath } from './status-entry.ts';

/** The members of a package's data, then its status entry, which is as old as the newest of them. */
export class DebMembers {
  readonly #deb: OpenedDeb;
  readonly #spool: string;
  #newest = 0;

  /** `spool` is the name of a new file for what is being unpacked. */
  constructor(deb: OpenedDeb, spool: string) {
    this.#deb = deb;
    this.#spool = spool;
  }

  /** The newest time of those that came by, seconds. */
  get newest(): number {
    return this.#newest;
  }

  async *read(name: string, statusEntry: Buffer, what: string): AsyncGenerator<TarMember, void, undefined> {
    const options = { what: `data.tar of ${what}` };
    const { bytes, compression } = this.#deb.data;
    for await (const member of readTar(decompress(bytes, compression, { ...options, spool: this.#spool }), options)) {
      this.#newest = Math.max(this.#newest, member.mtime);
      yield member;
    }
    await this.#deb.finish();
    yield fileMember(statusEntryPath(name), statusEntry, { mtime: this.#newest });
  }
}
