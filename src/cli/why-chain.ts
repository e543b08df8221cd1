import { type MemberReason, reasonText } from '../image/member-reason.ts';

export interface ChainLink {
  readonly name: string;
  readonly because: string;
}

export interface WhyInImage {
  /** From what the container asks for down to the package; each is there because of the one before it. */
  readonly chain: readonly ChainLink[];
  /** Further reasons for the package itself. */
  readonly also: readonly string[];
}

/**
 * Why a package is in an image, from the reasons that the selection noted. The first reason of a package is the one that
 * was found with the fewest steps, so following first reasons gives a shortest chain. Undefined for what is not in it.
 */
export function whyInImage(
  reasons: ReadonlyMap<string, readonly MemberReason[]>,
  wanted: string,
): WhyInImage | undefined {
  const [, ...others] = reasons.get(wanted) ?? [];
  const chain: ChainLink[] = [];
  for (let name: string | undefined = wanted; name !== undefined; ) {
    const first: MemberReason | undefined = reasons.get(name)?.[0];
    if (first === undefined) return undefined;
    chain.unshift({ name, because: reasonText(first) });
    name = 'by' in first ? first.by : undefined;
  }
  return { chain, also: [...new Set(others.map(reasonText))] };
}
