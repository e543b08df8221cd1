import type { KeyVerdict } from '../signing/trust.ts';
import { mayCount, type TrustPolicy } from './read-pointer.ts';

/** Somebody whose record is at a place; `person` is undefined where a weaker policy than `require` lets it pass. */
export interface Vote {
  readonly person: string | undefined;
}

/** Counts people: two keys of one person are one builder, keys of strangers are none. */
export function countBuilders(votes: readonly Vote[]): number {
  return new Set(votes.flatMap(({ person }) => person ?? [])).size;
}

/** Whether these who say the same are enough: any one where one is wanted, else as many trusted people as are wanted. */
export function areEnough(votes: readonly Vote[], wanted: number): boolean {
  return wanted <= 1 ? votes.length > 0 : countBuilders(votes) >= wanted;
}

/** What a record by this key counts for at a place, before anything of it is fetched; a clause where it does not count. */
export function voteOfKey(keyId: string, { trust, verify, principals, now }: TrustPolicy): Vote | string {
  if (verify === 'off') return { person: undefined };
  const verdict: KeyVerdict = trust.judgeKey(keyId, { namespace: 'buildit-package', at: now, principals });
  if (verdict.kind === 'trusted') return { person: verdict.person };
  return mayCount(verdict, verify) ? { person: undefined } : verdict.reason;
}
