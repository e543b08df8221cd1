import { createHash } from 'node:crypto';
import { isAbsolute, join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { findDefaultStore } from '../../config/default-store.ts';
import type { Sighting } from '../../system/witness.ts';

/**
 * What a run that had nothing to do would print, and everything it would look at. As long as all of it looks the same,
 * the next run prints this and does nothing else.
 */
export interface Receipt {
  readonly format: typeof RECEIPT_FORMAT;
  readonly stdout: string;
  readonly stderr: string;
  readonly sightings: readonly Sighting[];
  /** The image layouts that the transcript names: each index must still hold the digest that is printed. */
  readonly images: readonly { readonly index: string; readonly digest: string }[];
  /** Milliseconds since 1970: when the first of the signatures that were relied on stops counting by itself. */
  readonly expiresMs?: number | undefined;
}

export const RECEIPT_FORMAT = 2;

/** What decides, besides files, what a run does and prints. */
export interface Invocation {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether a terminal reads standard output and standard error. */
  readonly terminals: readonly [boolean, boolean];
}

export function thisInvocation(argv: readonly string[]): Invocation {
  return { argv, cwd: process.cwd(), environment: process.env, terminals: [isatty(1), isatty(2)] };
}

const ENVIRONMENT = ['HOME', 'NO_COLOR', 'FORCE_COLOR', 'TERM', 'CI', 'GITHUB_ACTIONS', 'GITLAB_CI'];
const ENVIRONMENT_PREFIXES = ['BUILDIT_', 'XDG_'];

/**
 * Where the receipt of an invocation lies: in the store that the command line or the environment names, else in the
 * usual one. It must be known before any configuration is read. Undefined where there is no such store: a run says why.
 */
export function receiptPath(installation: string, invocation: Invocation): string | undefined {
  const store = storeOf(invocation);
  return store === undefined ? undefined : join(store, 'receipts', `${receiptKey(installation, invocation)}.json`);
}

function receiptKey(installation: string, { argv, cwd, environment, terminals }: Invocation): string {
  const relevant = Object.keys(environment)
    .filter((name) => ENVIRONMENT.includes(name) || ENVIRONMENT_PREFIXES.some((prefix) => name.startsWith(prefix)))
    .sort()
    .map((name) => [name, environment[name]]);
  const user = process.getuid?.();
  const key = [RECEIPT_FORMAT, installation, process.version, user, cwd, argv, relevant, terminals];
  return createHash('sha256').update(JSON.stringify(key)).digest('hex');
}

function storeOf({ argv, cwd, environment }: Invocation): string | undefined {
  const typed = storeOption(argv);
  if (typed !== undefined && typed !== '') return resolve(cwd, typed);
  const named = environment.BUILDIT_STORE;
  if (named === undefined || named === '') return findDefaultStore(environment);
  return isAbsolute(named) ? named : undefined;
}

function storeOption(argv: readonly string[]): string | undefined {
  const index = argv.findLastIndex((argument) => argument === '--store' || argument.startsWith('--store='));
  if (index < 0) return undefined;
  return argv[index] === '--store' ? argv[index + 1] : argv[index]!.slice('--store='.length);
}

/** Options that ask for work even where nothing changed, or for another form than the transcript. */
const NEVER_BY_RECEIPT = ['--verify', '--from-source', '--check', '--json', '--progress=json'];

export function mayUseReceipt(argv: readonly string[]): boolean {
  return !argv.some(
    (argument, index) =>
      NEVER_BY_RECEIPT.includes(argument) || NEVER_BY_RECEIPT.includes(`${argument}=${argv[index + 1]}`),
  );
}
