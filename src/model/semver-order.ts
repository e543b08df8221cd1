import { compareDigits, compareNumberLists, compareTexts } from './digit-order.ts';
import { compareLooseVersions } from './loose-order.ts';
import type { VersionOrder } from './version-scheme.ts';

const NUMBER = '(?:0|[1-9][0-9]*)';
const LABEL = `(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
/** Semantic Versioning 2.0.0, 2, 9 and 10; one or two of the three numbers may be missing. */
const SEMVER = new RegExp(
  `^(${NUMBER}(?:\\.${NUMBER}){0,2})(?:-(${LABEL}(?:\\.${LABEL})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

interface SemanticVersion {
  readonly numbers: readonly string[];
  readonly labels: readonly string[];
}

/** Orders by the precedence of Semantic Versioning 2.0.0, 11: what follows a `+` does not count. */
export function compareSemanticVersions(a: string, b: string): number {
  const left = parse(a);
  const right = parse(b);
  if (left === undefined || right === undefined) return left ? 1 : right ? -1 : compareLooseVersions(a, b);
  return compareNumberLists(left.numbers, right.numbers) || compareLabels(left.labels, right.labels);
}

export const SEMVER_ORDER: VersionOrder = {
  example: '1.2.3-rc.1',
  compare: compareSemanticVersions,
  isVersion: (text) => parse(text)?.numbers.length === 3,
  isOperand: (text) => parse(text) !== undefined,
  numbers: (version) => ({ epoch: '0', numbers: parse(version)?.numbers ?? [] }),
  compareNumbers: compareNumberLists,
  isTryOf(version, release) {
    const [tried, whole] = [parse(version), parse(release)];
    if (tried === undefined || whole === undefined) return false;
    const isTry = tried.labels.length > 0 && whole.labels.length === 0;
    return isTry && compareNumberLists(tried.numbers, whole.numbers) === 0;
  },
};

function parse(version: string): SemanticVersion | undefined {
  const [, numbers, labels] = SEMVER.exec(version) ?? [];
  return numbers === undefined ? undefined : { numbers: numbers.split('.'), labels: labels?.split('.') ?? [] };
}

/** No labels at all is the release, and newer; else label by label, and more of them are newer. */
function compareLabels(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return (a.length === 0 ? 1 : 0) - (b.length === 0 ? 1 : 0);
  for (const [index, label] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareLabel(label, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Numbers come before words. */
function compareLabel(a: string, b: string): number {
  const [left, right] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (left !== right) return left ? -1 : 1;
  return left ? compareDigits(a, b) : compareTexts(a, b);
}
