import { compareDigits, compareNumberLists, compareTexts } from './digit-order.ts';
import type { VersionOrder } from './version-scheme.ts';

/**
 * Orders versions as upstream projects write them, whatever the spelling:
 *
 *     [epoch:][name]1.2.3[suffix…]        a number left out is 0: 1.0 and 1.0.0 are equal
 *
 * A suffix before the release: `~…`, dev, alpha, beta, milestone, pre, rc. After it, in this order: letters and other
 * words (1.1.1w, 9.9p1), a dash and numbers (6.9.13-25), a plus (6.5+20250216). How a word is joined makes no
 * difference (1.0rc1, 1.0-rc1, 1.0_RC.1), `stable`, `release` and `final` say nothing, `_` is a dot between numbers,
 * and what follows `+really` is the version.
 */
export function compareLooseVersions(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  return (
    compareDigits(left.epoch, right.epoch) ||
    compareNumberLists(left.numbers, right.numbers) ||
    compareSuffixes(left.suffixes, right.suffixes)
  );
}

export const LOOSE_ORDER: VersionOrder = {
  example: '1.22.1',
  compare: compareLooseVersions,
  isVersion: () => true,
  isOperand: () => true,
  numbers: parse,
  compareNumbers: compareNumberLists,
  isTryOf(version, release) {
    const [tried, whole] = [parse(version), parse(release)];
    const isTry = (tried.suffixes[0]?.rank ?? 0) < 0 && whole.suffixes.length === 0;
    return (
      isTry && compareDigits(tried.epoch, whole.epoch) === 0 && compareNumberLists(tried.numbers, whole.numbers) === 0
    );
  },
};

/** The end of a version has the rank 0. */
interface Suffix {
  readonly rank: number;
  readonly word: string;
  readonly numbers: readonly string[];
}

interface LooseVersion {
  readonly epoch: string;
  readonly numbers: readonly string[];
  readonly suffixes: readonly Suffix[];
}

const TILDE = -7;
const TRIES: Readonly<Record<string, number>> = {
  dev: -6,
  nightly: -6,
  snapshot: -6,
  alpha: -5,
  beta: -4,
  milestone: -3,
  pre: -2,
  preview: -2,
  rc: -1,
  cr: -1,
};
const WORD = 1;
const DASH = 2;
const PLUS = 3;

/** Words for the release itself. */
const RELEASES = ['final', 'ga', 'release', 'stable'];
/** Tries before a digit (3.0b2), else a release's letters (1.1.1a). */
const BEFORE_DIGITS: Readonly<Record<string, string>> = { a: 'alpha', b: 'beta' };
/** Words for one that came after. */
const SAME_WORDS: Readonly<Record<string, string>> = { patch: 'p', pl: 'p', post: 'p' };

/** What joins, and a word or a number. */
const PIECE = /(?<![^0-9A-Za-z])([^0-9A-Za-z]*)(?:([0-9]+)|([A-Za-z]+))/g;

function parse(version: string): LooseVersion {
  const [, epoch = '0', rest] = /^(?:([0-9]+):)?(.*)$/s.exec(version)!;
  // A project's name or a v in front says nothing of the version.
  const bare = realVersion(rest!).replace(/^[^0-9]+(?=[0-9])/, '');
  const numbers: string[] = [];
  const suffixes: { rank: number; word: string; numbers: string[] }[] = [];
  // Behind a plus are dates, names and digests, in which letters mean nothing.
  let isLocal = false;
  for (const { 0: piece, 1: joint = '', 2: number, 3: word, index } of bare.matchAll(PIECE)) {
    const mark = /[-+~]/.exec(joint)?.[0] ?? '';
    if (joint.includes('~')) isLocal = false;
    else if (joint.includes('+')) isLocal = true;
    const last = suffixes.at(-1);
    if (word !== undefined) {
      const isBeforeDigit = /[0-9]/.test(bare[index + piece.length] ?? '');
      const suffix = suffixOf(joint, word.toLowerCase(), { isBeforeDigit, isLocal });
      if (suffix !== undefined) suffixes.push({ ...suffix, numbers: [] });
    } else if (last === undefined && mark === '') numbers.push(number!);
    else if (last !== undefined && (mark === '' || isNumberOf(last, mark))) last.numbers.push(number!);
    else suffixes.push({ rank: rankOf(joint), word: '', numbers: [number!] });
  }
  return { epoch, numbers, suffixes };
}

/** What a version stands for: behind `+really` is what is really there, `2.12.7+dfsg+really2.9.14` is 2.9.14. */
export function realVersion(version: string): string {
  const really = version.lastIndexOf(REALLY);
  return really < 0 ? version : version.slice(really + REALLY.length);
}

const REALLY = '+really';

/** `beta-2` is `beta2`. */
function isNumberOf({ rank, numbers }: Suffix, mark: string): boolean {
  return mark === '-' && rank < 0 && numbers.length === 0;
}

function suffixOf(
  joint: string,
  written: string,
  { isBeforeDigit, isLocal }: { readonly isBeforeDigit: boolean; readonly isLocal: boolean },
): { rank: number; word: string } | undefined {
  if (isLocal) return { rank: joint.includes('+') ? PLUS : WORD, word: written };
  const word = isBeforeDigit ? spelled(written, BEFORE_DIGITS) : written;
  if (Object.hasOwn(TRIES, word)) return { rank: TRIES[word]!, word: '' };
  if (joint.includes('~')) return { rank: TILDE, word };
  if (RELEASES.includes(word) && !isBeforeDigit) return undefined;
  return { rank: WORD, word: spelled(word, SAME_WORDS) };
}

function spelled(word: string, spellings: Readonly<Record<string, string>>): string {
  return Object.hasOwn(spellings, word) ? spellings[word]! : word;
}

function rankOf(joint: string): number {
  if (joint.includes('~')) return TILDE;
  return joint.includes('+') ? PLUS : DASH;
}

function compareSuffixes(a: readonly Suffix[], b: readonly Suffix[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [left, right] = [a[index] ?? END, b[index] ?? END];
    const order =
      left.rank - right.rank || compareTexts(left.word, right.word) || compareNumberLists(left.numbers, right.numbers);
    if (order !== 0) return order;
  }
  return 0;
}

const END: Suffix = { rank: 0, word: '', numbers: [] };
