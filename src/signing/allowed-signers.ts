import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { PublicKey } from './public-key.ts';
import { parsePublicKey } from './public-key-text.ts';
import { parseSignerTime } from './signer-time.ts';
import { WireFault } from './wire-reader.ts';

/** One line of an allowed_signers file (ssh-keygen(1), ALLOWED SIGNERS): a key, whose it is and what it counts for. */
export interface AllowedSigner {
  /** Patterns of names, at least one without `!` before it. */
  readonly principals: readonly string[];
  readonly publicKey: PublicKey;
  /** Patterns of namespaces; the key counts for all where it is absent. */
  readonly namespaces: readonly string[] | undefined;
  readonly validAfter: Date | undefined;
  readonly validBefore: Date | undefined;
  readonly comment: string;
  /** Counts from 1; 0 for one that stands in no file. */
  readonly line: number;
}

export interface AllowedSigners {
  readonly signers: readonly AllowedSigner[];
  /** One for each line that does not count because it cannot be understood. */
  readonly problems: readonly BuilditError[];
}

const MAXIMUM_LINE = 20_000;

/** Reads an allowed_signers file. A line that cannot be understood is a problem; the others count. */
export function parseAllowedSigners(text: string, file: string): AllowedSigners {
  const signers: AllowedSigner[] = [];
  const problems: BuilditError[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    if (isBlank(raw)) continue;
    try {
      signers.push({ ...parseSigner(raw.trim()), line: index + 1 });
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      problems.push(lineProblem(error, { file, line: index + 1, text: raw }));
    }
  }
  return { signers, problems };
}

/** An empty line or a comment. */
export function isBlank(line: string): boolean {
  return /^\s*(?:#|$)/.test(line);
}

export function lineProblem(
  fault: WireFault,
  { file, line, text }: { readonly file: string; readonly line: number; readonly text: string },
): BuilditError {
  const message = `Cannot understand line ${line} of "${printable(file)}": ${printable(fault.message)}`;
  const position = { file, line, column: 1, excerpt: text.slice(0, 200) };
  return new BuilditError('configuration-invalid', message, { position, cause: fault });
}

const WORD = /^(?<word>(?:[^\s"]|"(?:[^"\\]|\\.)*")+)[ \t]+(?<rest>\S.*)$/;

/** `principals [options] key-type base64 [comment]`. */
function parseSigner(text: string): AllowedSigner {
  if (text.length > MAXIMUM_LINE) throw new WireFault(`expected at most ${MAXIMUM_LINE} characters, found more`);
  const { word: names, rest } = takeWord(text, 'names and then a key');
  const principals = patternList(unquoted(names), 'name');
  const withOptions = /^(?:ssh-|ecdsa-|sk-)/.test(rest) ? undefined : takeWord(rest, 'a key after the names');
  const options = parseOptions(withOptions?.word ?? '');
  const { publicKey, comment } = parsePublicKey(withOptions?.rest ?? rest);
  return { principals, publicKey, comment, line: 0, ...options };
}

function takeWord(text: string, expectation: string): { readonly word: string; readonly rest: string } {
  const { word, rest } = WORD.exec(text)?.groups ?? {};
  if (word === undefined || rest === undefined) throw new WireFault(`expected ${expectation}, found neither`);
  return { word, rest };
}

/** A word is quoted as a whole or not at all. */
function unquoted(word: string): string {
  if (!word.includes('"')) return word;
  const inner = /^"([^"\\]*)"$/.exec(word)?.[1];
  if (inner === undefined) throw new WireFault('expected quotes around the whole of it, found them elsewhere');
  return inner;
}

function patternList(text: string, noun: string): readonly string[] {
  const patterns = text.split(',');
  if (patterns.some((pattern) => /^!?$/.test(pattern)) || printable(text) !== text || text.length > 2000)
    throw new WireFault(`expected ${noun}s with commas between them, found "${text.slice(0, 100)}"`);
  if (patterns.every((pattern) => pattern.startsWith('!')))
    throw new WireFault(`expected a ${noun} besides those with "!", found none`);
  return patterns;
}

type SignerOptions = Pick<AllowedSigner, 'namespaces' | 'validAfter' | 'validBefore'>;

const OPTION = /^(?<name>[A-Za-z-]+)(?:="(?<value>[^"\\]*)")?(?:,(?=.)|$)/;

function parseOptions(text: string): SignerOptions {
  const given = new Map<string, string | undefined>();
  for (let rest = text; rest !== ''; ) {
    const match = OPTION.exec(rest);
    if (match === null) throw new WireFault(`expected options such as namespaces="…", found "${rest.slice(0, 100)}"`);
    const name = match.groups!.name!.toLowerCase();
    if (given.has(name)) throw new WireFault(`expected each option once, found ${name} twice`);
    given.set(name, match.groups!.value);
    rest = rest.slice(match[0].length);
  }
  return understoodOptions(given);
}

function understoodOptions(given: ReadonlyMap<string, string | undefined>): SignerOptions {
  let options: SignerOptions = { namespaces: undefined, validAfter: undefined, validBefore: undefined };
  for (const [name, value] of given) {
    if (name === 'cert-authority')
      throw new WireFault('expected a key, found one that only certifies others (cert-authority)');
    if (value === undefined) throw new WireFault(`expected a value in quotes after ${name}=, found none`);
    if (name === 'namespaces') options = { ...options, namespaces: patternList(value, 'namespace') };
    else if (name === 'valid-after') options = { ...options, validAfter: parseSignerTime(value) };
    else if (name === 'valid-before') options = { ...options, validBefore: parseSignerTime(value) };
    else throw new WireFault(`expected the options namespaces, valid-after or valid-before, found ${name}`);
  }
  const { validAfter, validBefore } = options;
  if (validAfter !== undefined && validBefore !== undefined && validAfter >= validBefore)
    throw new WireFault('expected valid-after to be earlier than valid-before, found it later');
  return options;
}
