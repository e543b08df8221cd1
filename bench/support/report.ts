import {
  type Amount,
  type Comparison,
  type Finding,
  isWithinLimit,
  ratioOfMedians,
  ratioOfMinima,
} from './comparison.ts';
import { median } from './measure.ts';

const HEADINGS = ['what', 'beside', 'buildit (min, median)', 'peer (min, median)', 'ratio (min, median)', 'limit', ''];

/** A table in Markdown, as `README.md` keeps it. */
export function table(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => ('amount' in finding ? amountRow(finding) : comparisonRow(finding)));
  return [HEADINGS, HEADINGS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function comparisonRow(finding: Comparison): readonly string[] {
  const { what, peer, unit, own, others, limit } = finding;
  return [
    unit === 'cpu' ? `${what} (user + system)` : what,
    peer,
    durations(own),
    durations(others),
    `${ratio(ratioOfMinima(finding))}, ${ratio(ratioOfMedians(finding))}`,
    String(limit),
    verdict(finding),
  ];
}

function amountRow(finding: Amount): readonly string[] {
  const { what, amount, limit, unit } = finding;
  return [what, '', `${amount.toFixed(0)} ${unit}`, '', '', `${limit} ${unit}`, verdict(finding)];
}

function verdict(finding: Finding): string {
  return isWithinLimit(finding) ? 'held' : '**missed**';
}

function durations(values: readonly number[]): string {
  return `${seconds(Math.min(...values))}, ${seconds(median(values))} s`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(milliseconds < 1000 ? 3 : 2);
}

function ratio(value: number): string {
  return value.toFixed(value < 1 ? 3 : 2);
}
