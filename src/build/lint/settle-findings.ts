import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import type { LintAllowance, OutputFinding, OutputLintCode } from '../../model/output-lint.ts';
import { pathGlob } from '../../model/path-glob.ts';
import { OUTPUT_RULES } from './output-rules.ts';

/** What came of the findings about one package. */
export interface Settled {
  /** One for each code that is an error. */
  readonly errors: readonly BuilditError[];
  /** One line for each code that is a warning, and for each allowance that allows nothing. */
  readonly notices: readonly string[];
}

/** Takes what the recipe allows from the findings about all layers of a package, and says the rest, a code at a time. */
export function settleFindings(
  name: string,
  findings: readonly OutputFinding[],
  allowed: readonly LintAllowance[],
): Settled {
  const allowances = allowed.map((allowance) => ({ allowance, covers: coverage(allowance) }));
  const used = new Set<LintAllowance>();
  const left = new Map<OutputLintCode, OutputFinding[]>();
  for (const finding of findings) {
    const covering = allowances.filter(({ covers }) => covers(finding));
    for (const { allowance } of covering) used.add(allowance);
    if (covering.length > 0) continue;
    const same = left.get(finding.code);
    if (same === undefined) left.set(finding.code, [finding]);
    else same.push(finding);
  }
  const codes = [...left.keys()].sort();
  const isError = (code: OutputLintCode) => OUTPUT_RULES[code].severity === 'error';
  return {
    errors: codes.filter(isError).map((code) => errorOf(name, code, left.get(code)!)),
    notices: [
      ...codes.filter((code) => !isError(code)).map((code) => noticeOf(name, code, left.get(code)!)),
      ...allowed.filter((allowance) => !used.has(allowance)).map((allowance) => uselessAllowance(name, allowance)),
    ],
  };
}

function coverage({ code, paths }: LintAllowance): (finding: OutputFinding) => boolean {
  const matchers = paths.map((pattern) => pathGlob(pattern)!);
  return (finding) =>
    finding.code === code &&
    (paths.length === 0 || (finding.path !== undefined && matchers.some((matches) => matches(finding.path!))));
}

const MOST_SHOWN = 5;

function errorOf(name: string, code: OutputLintCode, findings: readonly OutputFinding[]): BuilditError {
  const { expected, mend } = OUTPUT_RULES[code];
  const shown = findings.slice(0, MOST_SHOWN).map(({ path, found }) => printable(`${shownPath(path)}: ${found}`));
  const left = findings.length - shown.length;
  return new BuilditError('lint-failed', `Cannot keep "${name}": ${sentence(expected, findings)} (${code})`, {
    details: [...shown, ...(left > 0 ? [`and ${left} more`] : [])],
    hint: `${mend}\nor say in pkg.yaml why it has to be: ${printable(allowLine(code, findings))}`,
  });
}

function noticeOf(name: string, code: OutputLintCode, findings: readonly OutputFinding[]): string {
  return printable(`${name}: ${sentence(OUTPUT_RULES[code].expected, findings)} (${code})`);
}

function sentence(expected: string, findings: readonly OutputFinding[]): string {
  const { path, found } = findings[0]!;
  const more = findings.length > 1 ? ` and ${findings.length - 1} more` : '';
  return `expected ${expected}, found ${path === undefined ? found : `/${printable(path)}${more}`}`;
}

function shownPath(path: string | undefined): string {
  return path === undefined ? 'the package' : `/${path}`;
}

const MOST_LISTED = 3;

/** The line that allows these findings and few others. */
function allowLine(code: OutputLintCode, findings: readonly OutputFinding[]): string {
  const paths = findings.flatMap(({ path }) => path ?? []);
  const listed = paths.length <= MOST_LISTED ? paths.map(literalPattern) : [`${commonDirectory(paths)}**`];
  return `allow: {${code}: {reason: "…", paths: [${listed.map((path) => JSON.stringify(path)).join(', ')}]}}`;
}

function literalPattern(path: string): string {
  return path.replaceAll(/[*?[\]{}()!\\]/g, '?');
}

function commonDirectory(paths: readonly string[]): string {
  const [first = '', ...others] = paths;
  let end = first.lastIndexOf('/') + 1;
  while (end > 0 && !others.every((path) => path.startsWith(first.slice(0, end)))) {
    end = first.lastIndexOf('/', end - 2) + 1;
  }
  return literalPattern(first.slice(0, end));
}

function uselessAllowance(name: string, { code, paths, position }: LintAllowance): string {
  const place = position === undefined ? '' : ` (${position.file}:${position.line}:${position.column})`;
  const where = paths.length === 0 ? '' : ` at ${paths.join(', ')}`;
  return printable(`${name}: "allow.${code}"${place} allows nothing: there is nothing of that kind${where}`);
}
