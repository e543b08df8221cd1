import {
  type Amount,
  type Comparison,
  type Finding,
  isWithinLimit,
  ratioOfMedians,
  ratioOfMinima,
  times,
  type Unit,
} from './comparison.ts';
import { median, type Series } from './measure.ts';

const HEADINGS = ['what', 'beside', 'buildit', 'peer', 'ratio', 'CPU ratio', 'limit', ''];

/** A table in Markdown, as `README.md` keeps it: seconds and ratios, each of the shortest runs and of the medians. */
export function table(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => ('amount' in finding ? amountRow(finding) : comparisonRow(finding)));
  return [HEADINGS, HEADINGS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function comparisonRow(finding: Comparison): readonly string[] {
  const { what, own, peer, limit, unit } = finding;
  return [
    what,
    peer.name,
    seconds(own, unit),
    seconds(peer, unit),
    ratios(finding, 'wall'),
    ratios(finding, 'cpu'),
    limitText(limit, unit),
    limit === undefined ? '' : verdict(finding),
  ];
}

function limitText(limit: number | undefined, unit: Unit): string {
  if (limit === undefined) return '–';
  const text = String(Number(limit.toFixed(2)));
  return unit === 'cpu' ? `${text} (CPU)` : text;
}

function amountRow(finding: Amount): readonly string[] {
  const { what, amount, unit, limit } = finding;
  const text = Number.isInteger(amount) || amount >= 100 ? amount.toFixed(0) : amount.toPrecision(3);
  return [what, '', `${text} ${unit}`, '', '', '', `${limit} ${unit}`, verdict(finding)];
}

function verdict(finding: Finding): string {
  return isWithinLimit(finding) ? 'held' : '**missed**';
}

function seconds(series: Series, unit: Unit): string {
  const text = (milliseconds: number) => (milliseconds / 1000).toFixed(milliseconds < 1000 ? 3 : 2);
  const values = times(series, unit);
  return `${text(Math.min(...values))}, ${text(median(values))} s`;
}

function ratios(comparison: Comparison, unit: Unit): string {
  const text = (value: number) => (Number.isFinite(value) ? value.toFixed(value < 1 ? 3 : 2) : '–');
  return `${text(ratioOfMinima(comparison, unit))}, ${text(ratioOfMedians(comparison, unit))}`;
}
