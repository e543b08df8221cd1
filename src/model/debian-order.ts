import { compareDigits, compareNumberLists } from './digit-order.ts';
import { isDebianVersion } from './names.ts';
import type { VersionOrder } from './version-scheme.ts';

/**
 * Orders two Debian versions as dpkg does (Debian policy 5.6.12): epoch, then upstream version, then revision; `~` sorts
 * before the end of a part, letters before other characters, digit runs as numbers. Returns a negative number, zero or
 * a positive number.
 */
export function compareDebianVersions(a: string, b: string): number {
  const left = splitDebianVersion(a);
  const right = splitDebianVersion(b);
  return (
    compareDigits(left.epoch, right.epoch) ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

/** Exactly dpkg's: a `<` is no wiser than there, and `<4` takes `4~rc1`. */
export const DEBIAN_ORDER: VersionOrder = {
  example: '1:1.22.1-9+deb12u2',
  compare: compareDebianVersions,
  isVersion: isDebianVersion,
  isOperand: isDebianVersion,
  numbers(version) {
    const { epoch, upstream } = splitDebianVersion(version);
    return { epoch, numbers: /^[0-9]+(?:\.[0-9]+)*/.exec(upstream)?.[0].split('.') ?? [] };
  },
  compareNumbers: compareNumberLists,
  isTryOf: () => false,
};

/** Takes a Debian version apart; `0` for no epoch, an empty text for no revision. */
export function splitDebianVersion(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '0' : version.slice(0, colon),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a[i]!)) || (j < b.length && !isDigit(b[j]!))) {
      const order = characterOrder(a[i]) - characterOrder(b[j]);
      if (order !== 0) return order;
      if (i < a.length) i += 1;
      if (j < b.length) j += 1;
    }
    const left = digitsAt(a, i);
    const right = digitsAt(b, j);
    const order = compareDigits(left, right);
    if (order !== 0) return order;
    i += left.length;
    j += right.length;
  }
  return 0;
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

/** End of string and digits are 0, `~` is below, letters are by their code, everything else above letters. */
function characterOrder(character: string | undefined): number {
  if (character === undefined || isDigit(character)) return 0;
  if (character === '~') return -1;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}

function digitsAt(text: string, start: number): string {
  let end = start;
  while (end < text.length && isDigit(text[end]!)) end += 1;
  return text.slice(start, end);
}
