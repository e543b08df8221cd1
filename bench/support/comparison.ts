import { median, type Series } from './measure.ts';

/** What one measurement says: how long buildit takes beside a peer, and how long it may. */
export interface Comparison {
  readonly what: string;
  readonly peer: string;
  readonly unit: 'wall' | 'cpu';
  readonly own: readonly number[];
  readonly others: readonly number[];
  /** Largest ratio that is accepted. */
  readonly limit: number;
}

/** A figure without a peer, such as memory. */
export interface Amount {
  readonly what: string;
  readonly amount: number;
  readonly limit: number;
  readonly unit: 'MiB';
}

export type Finding = Comparison | Amount;

export function compare(
  what: string,
  own: Series,
  peer: Series,
  limit: number,
  unit: 'wall' | 'cpu' = 'wall',
): Comparison {
  const values = (series: Series) => (unit === 'wall' ? series.wallMs : series.cpuMs);
  return { what, peer: peer.name, unit, own: values(own), others: values(peer), limit };
}

/** Of the shortest runs: whatever disturbs a run makes it longer, so they say most about the programs themselves. */
export function ratioOfMinima({ own, others }: Comparison): number {
  return Math.min(...own) / Math.min(...others);
}

export function ratioOfMedians({ own, others }: Comparison): number {
  return median(own) / median(others);
}

export function isWithinLimit(finding: Finding): boolean {
  return ('amount' in finding ? finding.amount : ratioOfMinima(finding)) <= finding.limit;
}
