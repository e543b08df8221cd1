import { compareDigits } from './digit-order.ts';
import { isVersion } from './names.ts';
import { versionOrder } from './version-order.ts';
import type { VersionOrder, VersionScheme } from './version-scheme.ts';

const OPERATORS = ['~', '^', '=', '!=', '>=', '<=', '>', '<'] as const;
export type RangeOperator = (typeof OPERATORS)[number];

export interface RangeCondition {
  readonly operator: RangeOperator;
  readonly operand: string;
}

/** Versions that meet all conditions. */
export interface VersionRange {
  /** As it is shown: `>=1.22,<1.27`, without blanks. */
  readonly text: string;
  readonly conditions: readonly RangeCondition[];
}

const CONDITION = /^[ \t]*(?:(~|\^|!=|>=|<=|=|>|<)[ \t]*)?([0-9A-Za-z][^ \t]*)[ \t]*$/;
const MAXIMUM_CONDITIONS = 16;

/**
 * Reads a range; undefined for what is none.
 *
 *     range     = condition *( "," condition )          all of them hold; blanks around them do not count
 *     condition = [ operator ] version
 *     operator  = "~" | "^" | "=" | "!=" | ">" | ">=" | "<" | "<="
 *
 * `~1.26.1`: 1.26.1 or later with the same two first numbers; `~1`: with the same first. `^1.26`: 1.26 or later with the
 * same numbers up to the first that is not 0. A version alone is that version. A `<` leaves out what was tried before the
 * release it names: `<4` does not take 4.0-rc1, where the scheme tells the two apart.
 */
export function parseRange(text: string): VersionRange | undefined {
  const conditions: RangeCondition[] = [];
  for (const part of text.split(',', MAXIMUM_CONDITIONS + 1)) {
    const [, operator, operand] = CONDITION.exec(part) ?? [];
    if (operand === undefined || !isVersion(operand)) return undefined;
    if ((operator === '~' || operator === '^') && !/^[0-9]/.test(operand)) return undefined;
    conditions.push({ operator: (operator ?? '=') as RangeOperator, operand });
  }
  if (conditions.length > MAXIMUM_CONDITIONS) return undefined;
  const shown = text.replaceAll(/[ \t]+/g, '');
  return { text: shown, conditions };
}

export function rangeAllows({ conditions }: VersionRange, version: string, scheme: VersionScheme): boolean {
  const order = versionOrder(scheme);
  return conditions.every((condition) => meets(version, condition, order));
}

/** What of a range is no version of the scheme; undefined where nothing is. */
export function foreignOperand({ conditions }: VersionRange, scheme: VersionScheme): string | undefined {
  return conditions.find(({ operand }) => !versionOrder(scheme).isOperand(operand))?.operand;
}

function meets(version: string, { operator, operand }: RangeCondition, order: VersionOrder): boolean {
  const sign = order.compare(version, operand);
  switch (operator) {
    case '=':
      return sign === 0;
    case '!=':
      return sign !== 0;
    case '>':
      return sign > 0;
    case '>=':
      return sign >= 0;
    case '<=':
      return sign <= 0;
    case '<':
      return sign < 0 && !order.isTryOf(version, operand);
    case '~':
      return sign >= 0 && sharesNumbers(version, operand, 2, order);
    case '^':
      return sign >= 0 && sharesNumbers(version, operand, significantNumbers(operand, order), order);
  }
}

/** How many numbers `^` holds fast: those up to the first that is not 0, all of them where there is none. */
function significantNumbers(operand: string, order: VersionOrder): number {
  const { numbers } = order.numbers(operand);
  const first = numbers.findIndex((number) => /[1-9]/.test(number));
  return first < 0 ? numbers.length : first + 1;
}

/** Tells whether a version begins with the first `count` numbers of the operand, as far as that has so many. */
function sharesNumbers(version: string, operand: string, count: number, order: VersionOrder): boolean {
  const wanted = order.numbers(operand);
  const found = order.numbers(version);
  const length = Math.min(count, wanted.numbers.length);
  return (
    compareDigits(wanted.epoch, found.epoch) === 0 &&
    order.compareNumbers(wanted.numbers.slice(0, length), found.numbers.slice(0, length)) === 0
  );
}
