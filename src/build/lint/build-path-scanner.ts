import { SANDBOX_PATHS } from '../../model/sandbox-contract.ts';

/** A path of the build's sandbox inside a file. */
export interface FoundBuildPath {
  /** The path as it stands there, at most 120 bytes of it. */
  readonly text: string;
  /** Bytes before it in the file. */
  readonly offset: number;
}

const LOOK_BEHIND = 16;
const LOOK_AHEAD = 160;
const LONGEST_TEXT = 120;

/** Behind /build lie these and nothing else; other names there are somebody's own. */
const WORK_PATH = new RegExp(
  `^(?:${SANDBOX_PATHS.source}|${SANDBOX_PATHS.home}|${SANDBOX_PATHS.files})(?![A-Za-z0-9_+-])`,
);
const OUTPUT_PATH = new RegExp(
  `^${SANDBOX_PATHS.output}/(?:bin|boot|etc|lib[0-9x]*|opt|sbin|srv|usr|var)(?![A-Za-z0-9_+-])`,
);
/** The two directories themselves, or another name below the output: common words in texts of other kinds. */
const BARE_PATH = new RegExp(
  `^(?:${SANDBOX_PATHS.work}/?|${SANDBOX_PATHS.output}(?:/[A-Za-z0-9._+/-]*)?)(?:[\\0\\s:;,]|$)`,
);
/** -ffile-prefix-map=/build/src=/usr/src is what keeps the path out; programs that tell their flags tell it too. */
const PREFIX_MAP = /-prefix-map=$/;

/**
 * Finds the first path of the build's sandbox in a file that comes in pieces. A path counts where nothing before it could
 * be a part of it: `third_party/build/src` and `https://example.org/out/usr` are other paths.
 */
export class BuildPathScanner {
  #window = Buffer.alloc(0);
  /** Bytes of the file before the window. */
  #before = 0;
  /** Where in the window the next path may begin. */
  #next = 0;
  #found: FoundBuildPath | undefined;

  /** Takes the next piece. Answers whether more is wanted. */
  push(chunk: Uint8Array): boolean {
    if (this.#found !== undefined) return false;
    this.#window = Buffer.concat([this.#window, chunk]);
    this.#search(Math.max(this.#next, this.#window.length - LOOK_AHEAD));
    const kept = Math.max(0, this.#next - LOOK_BEHIND);
    this.#window = this.#window.subarray(kept);
    this.#before += kept;
    this.#next -= kept;
    return this.#found === undefined;
  }

  finish(): FoundBuildPath | undefined {
    if (this.#found === undefined) this.#search(this.#window.length);
    return this.#found;
  }

  /** Looks at everything that begins before `end`. */
  #search(end: number): void {
    const starts = [SANDBOX_PATHS.work, SANDBOX_PATHS.output].map((path) => this.#first(path, end));
    const offset = Math.min(...starts);
    if (offset < end) this.#found = { text: this.#textAt(offset), offset: this.#before + offset };
    this.#next = end;
  }

  #first(path: string, end: number): number {
    for (let at = this.#window.indexOf(path, this.#next); at >= 0 && at < end; ) {
      if (this.#isPath(at)) return at;
      at = this.#window.indexOf(path, at + 1);
    }
    return end;
  }

  #isPath(at: number): boolean {
    const before = this.#window.toString('latin1', Math.max(0, at - LOOK_BEHIND), at);
    if (PREFIX_MAP.test(before) || /[\w.~%@$}\]/)<*?+-]$/.test(before)) return false;
    const text = this.#window.toString('latin1', at, at + LOOK_AHEAD);
    if (WORK_PATH.test(text) || OUTPUT_PATH.test(text)) return true;
    return /(?:^|[\0\s=:])$/.test(before) && BARE_PATH.test(text);
  }

  #textAt(at: number): string {
    const text = this.#window.toString('latin1', at, at + LONGEST_TEXT);
    return /^[A-Za-z0-9._+/@~-]*/.exec(text)![0];
  }
}
