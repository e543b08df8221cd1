import { DEPRECATED_SPDX_LICENSES, SPDX_EXCEPTIONS, SPDX_LICENSES } from './spdx-identifiers.ts';

/** A word of a licence expression that is not as it should be. */
export interface LicenseProblem {
  readonly kind: 'unknown' | 'deprecated' | 'unknown-exception' | 'misplaced';
  /** Empty for the end of the expression. */
  readonly word: string;
}

/** Checks an SPDX licence expression: its grammar (SPDX 2.3, annex D) and that every identifier is on the list. */
export function licenseProblems(expression: string): readonly LicenseProblem[] {
  const words = expression.match(/[()]|[^\s()]+/g) ?? [];
  const problems: LicenseProblem[] = [];
  let at = 0;

  function alternatives(depth: number): boolean {
    do {
      if (!license(depth)) return false;
    } while (words[at] === 'AND' || words[at] === 'OR' ? ++at : false);
    return true;
  }

  function license(depth: number): boolean {
    const word = words[at] ?? '';
    if (word === '(') {
      at += 1;
      if (depth > MOST_DEPTH || !alternatives(depth + 1)) return misplaced();
      if (words[at] !== ')') return misplaced();
      at += 1;
      return true;
    }
    if (word === '' || word === ')' || OPERATORS.has(word)) return misplaced();
    at += 1;
    checkIdentifier(word);
    if (words[at] !== 'WITH') return true;
    const exception = words[at + 1] ?? '';
    at += 2;
    if (!SPDX_EXCEPTIONS.has(exception)) problems.push({ kind: 'unknown-exception', word: exception });
    return true;
  }

  function checkIdentifier(word: string): void {
    if (REFERENCE.test(word) || SPDX_LICENSES.has(word)) return;
    const name = word.replace(/\+$/, '');
    if (DEPRECATED_SPDX_LICENSES.has(word) || DEPRECATED_SPDX_LICENSES.has(name)) {
      problems.push({ kind: 'deprecated', word });
    } else if (!SPDX_LICENSES.has(name)) {
      problems.push({ kind: 'unknown', word });
    }
  }

  function misplaced(): false {
    if (!problems.some(({ kind }) => kind === 'misplaced')) problems.push({ kind: 'misplaced', word: words[at] ?? '' });
    return false;
  }

  if (alternatives(0) && at < words.length) misplaced();
  return problems;
}

const MOST_DEPTH = 20;
const OPERATORS = new Set(['AND', 'OR', 'WITH']);
/** A licence of one's own: `LicenseRef-Company`. */
const REFERENCE = /^(?:DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]+$/;
