/**
 * `damaged`, `missing` and `untrusted` are wrong. `incomplete` (a source that its builder did not have), `expired` and
 * `unreferenced` are only told.
 */
export type FindingKind = 'damaged' | 'missing' | 'untrusted' | 'incomplete' | 'expired' | 'unreferenced';

export interface Finding {
  readonly kind: FindingKind;
  /** Below the place; printable. */
  readonly path: string;
  /** One clause. */
  readonly detail: string;
}

export interface PlaceReport {
  readonly name: string;
  /** 0 where there is no index. */
  readonly generation: number;
  readonly packages: number;
  readonly containers: number;
  readonly blobs: { readonly count: number; readonly bytes: number };
  /** Wrong ones first. */
  readonly findings: readonly Finding[];
  readonly isSound: boolean;
}

const KINDS: readonly FindingKind[] = ['damaged', 'missing', 'untrusted', 'incomplete', 'expired', 'unreferenced'];

/** Wrong ones first, then by path. */
export function compareFindings(a: Finding, b: Finding): number {
  return rank(a) - rank(b) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
}

function rank({ kind }: Finding): number {
  return KINDS.indexOf(kind);
}

export function isWrong({ kind }: Finding): boolean {
  return kind === 'damaged' || kind === 'missing' || kind === 'untrusted';
}
