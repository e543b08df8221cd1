import { compareDigits, compareNumberLists, compareTexts } from './digit-order.ts';
import { compareLooseVersions } from './loose-order.ts';
import type { VersionOrder } from './version-scheme.ts';
import { withoutTrailing } from './without-trailing.ts';

/** Package Manager Specification 3.2. */
const GENTOO = /^([0-9]+(?:\.[0-9]+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|p)[0-9]*)*)(?:-r([0-9]+))?$/;
const SUFFIX = /_(alpha|beta|pre|rc|p)([0-9]*)/g;
/** In their order; only the last one is newer than no suffix. */
const SUFFIXES = ['alpha', 'beta', 'pre', 'rc', 'p'];

interface GentooVersion {
  readonly numbers: readonly string[];
  readonly letter: string;
  readonly suffixes: readonly { readonly kind: string; readonly number: string }[];
  readonly revision: string;
}

/** Orders as ebuilds are (Package Manager Specification 3.3): numbers, letter, suffixes, revision. */
export function compareGentooVersions(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) return left ? 1 : right ? -1 : compareLooseVersions(a, b);
  return (
    compareNumbers(left.numbers, right.numbers) ||
    compareTexts(left.letter, right.letter) ||
    compareSuffixes(left.suffixes, right.suffixes) ||
    compareDigits(left.revision, right.revision)
  );
}

export const GENTOO_ORDER: VersionOrder = {
  example: '1.2.3b_rc1-r2',
  compare: compareGentooVersions,
  isVersion: (text) => GENTOO.test(text),
  isOperand: (text) => GENTOO.test(text),
  numbers: (version) => ({ epoch: '0', numbers: parse(version)?.numbers ?? [] }),
  compareNumbers,
  isTryOf(version, release) {
    const [tried, whole] = [parse(version), parse(release)];
    if (tried === undefined || whole === undefined) return false;
    const [suffix] = tried.suffixes;
    const isTry = suffix !== undefined && suffix.kind !== 'p' && tried.letter === whole.letter;
    return isTry && whole.suffixes.length === 0 && compareNumberLists(tried.numbers, whole.numbers) === 0;
  },
};

function parse(version: string): GentooVersion | undefined {
  const [, numbers, letter, suffixes, revision] = GENTOO.exec(version) ?? [];
  if (numbers === undefined) return undefined;
  return {
    numbers: numbers.split('.'),
    letter: letter!,
    suffixes: [...suffixes!.matchAll(SUFFIX)].map(([, kind, number]) => ({ kind: kind!, number: number! })),
    revision: revision ?? '0',
  };
}

/** The first number is one; behind it, one that begins with 0 is a fraction, and so is what it is compared with. */
function compareNumbers(a: readonly string[], b: readonly string[]): number {
  const first = compareDigits(a[0]!, b[0]!);
  if (first !== 0) return first;
  for (let index = 1; index < Math.min(a.length, b.length); index += 1) {
    const [left, right] = [a[index]!, b[index]!];
    const areFractions = left.startsWith('0') || right.startsWith('0');
    const order = areFractions
      ? compareTexts(withoutTrailing(left, '0'), withoutTrailing(right, '0'))
      : compareDigits(left, right);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareSuffixes(a: GentooVersion['suffixes'], b: GentooVersion['suffixes']): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const [left, right] = [a[index]!, b[index]!];
    const order =
      SUFFIXES.indexOf(left.kind) - SUFFIXES.indexOf(right.kind) || compareDigits(left.number, right.number);
    if (order !== 0) return order;
  }
  if (a.length === b.length) return 0;
  const [longer, shorter, sign] = a.length > b.length ? [a, b, 1] : [b, a, -1];
  return longer[shorter.length]!.kind === 'p' ? sign : -sign;
}
