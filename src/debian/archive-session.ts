import type { PublicKey } from 'openpgp';
import type { Config, RunContext } from '../model/config.ts';
import { BuilditError, type ErrorCode } from '../model/errors.ts';
import type { Store } from '../store/store.ts';
import { DownloadError, type DownloadOptions, shownUrl } from '../system/http.ts';
import type { ArchivePlace, ArchiveSurroundings } from './archive-places.ts';

/** What everything that asks an archive needs. The last three are given by tests alone. */
export interface ArchiveSession {
  readonly store: Store;
  readonly config: Pick<Config, 'debian' | 'offline'>;
  readonly context: RunContext;
  readonly surroundings?: ArchiveSurroundings;
  /** In place of the keys of the Debian archive. */
  readonly keys?: readonly PublicKey[];
  readonly now?: () => number;
}

/** A place that was asked in vain, as one line of an error's details. */
export interface PlaceTried {
  readonly url: string;
  readonly answer: string;
  /** The place answered, and says that it has no such file. */
  readonly isAbsent: boolean;
  readonly kind: ArchivePlace['kind'];
  readonly code: ErrorCode;
  /** For a place that gave an answer which a user can do something about. */
  readonly hint?: string | undefined;
}

/** Notes a failure of one place; what concerns every place is thrown on. */
export function placeTried(url: string, kind: ArchivePlace['kind'], error: unknown): PlaceTried {
  if (error instanceof DownloadError) {
    const often = error.tries > 1 ? `, tried ${error.tries} times` : '';
    const hint = error.isTelling ? error.hint : undefined;
    return { url, kind, answer: `${error.answer}${often}`, isAbsent: isAbsent(error), code: error.code, hint };
  }
  if (error instanceof BuilditError && !GENERAL_FAILURES.has(error.code)) {
    return { url, kind, answer: error.message, isAbsent: false, code: error.code, hint: error.hint };
  }
  throw error;
}

function isAbsent({ status }: DownloadError): boolean {
  return status === 404 || status === 410;
}

/** What an error over several places is: a refusal of what one of them gave says more than that others are away. */
export function commonCode(tried: readonly PlaceTried[]): ErrorCode {
  return tried.find(({ code }) => code !== 'unreachable')?.code ?? 'unreachable';
}

/** The hint of the first answer that says more than that a place is away. */
export function commonHint(tried: readonly PlaceTried[]): string | undefined {
  return tried.find(({ hint }) => hint !== undefined)?.hint;
}

const GENERAL_FAILURES: ReadonlySet<ErrorCode> = new Set(['interrupted', 'disk-full', 'cannot-write', 'offline']);

export function triedLines(tried: readonly PlaceTried[]): readonly string[] {
  return tried.map(({ url, answer }) => `${shownUrl(url)}: ${answer}`);
}

/** A service that is asked last, after places that answered, is not waited for long. */
export function patience(kind: ArchivePlace['kind'], tried: readonly PlaceTried[]): DownloadOptions {
  return kind === 'snapshot' && tried.length > 0 ? { retries: 1, connectTimeoutMs: 5000 } : {};
}
