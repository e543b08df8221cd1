import { median, type Series } from './measure.ts';

/** What one measurement says: how long buildit takes beside a peer, and how long it may. */
export interface Comparison {
  readonly what: string;
  readonly own: Series;
  readonly peer: Series;
  /** Largest ratio that is accepted; undefined where the figures are for looking at. */
  readonly limit: number | undefined;
  /** What the limit is about. */
  readonly unit: Unit;
}

/** Time that passes, or user and system time. */
export type Unit = 'wall' | 'cpu';

/** A figure without a peer: memory, requests, bytes that were moved. */
export interface Amount {
  readonly what: string;
  readonly amount: number;
  /** As the table names it: `MiB`, `requests`. */
  readonly unit: string;
  readonly limit: number;
}

export type Finding = Comparison | Amount;

export function compare(
  what: string,
  own: Series,
  peer: Series,
  limit: number | undefined,
  unit: Unit = 'wall',
): Comparison {
  return { what, own, peer, limit, unit };
}

/** Of the shortest runs: whatever disturbs a run makes it longer, so they say most about the programs themselves. */
export function ratioOfMinima({ own, peer }: Comparison, unit: Unit): number {
  return Math.min(...times(own, unit)) / Math.min(...times(peer, unit));
}

export function ratioOfMedians({ own, peer }: Comparison, unit: Unit): number {
  return median(times(own, unit)) / median(times(peer, unit));
}

export function times({ wallMs, cpuMs }: Series, unit: Unit): readonly number[] {
  return unit === 'wall' ? wallMs : cpuMs;
}

export function isWithinLimit(finding: Finding): boolean {
  if ('amount' in finding) return finding.amount <= finding.limit;
  return finding.limit === undefined || ratioOfMinima(finding, finding.unit) <= finding.limit;
}
