import type { ArchiveSession, PlaceTried } from './archive-session.ts';

/** Places that failed while another one had the file: each is warned of once, and waited for no longer. */
export interface UnusablePlaces {
  /** Notes what was tried in vain before `used` had the file. That a place has no such file is no failure. */
  note(tried: readonly PlaceTried[], used: string): void;
  includes(url: string): boolean;
}

export function unusablePlaces({ context }: Pick<ArchiveSession, 'context'>): UnusablePlaces {
  const known = new Set<string>();
  return {
    note(tried, used) {
      for (const { url, answer, isAbsent } of tried) {
        const place = new URL(url).origin;
        if (isAbsent || known.has(place)) continue;
        known.add(place);
        context.emit({
          kind: 'warning',
          text: `Cannot use ${place}: ${answer}`,
          hint: `${new URL(used).origin} is asked instead; debian.mirror in the configuration names another`,
        });
      }
    },
    includes: (url) => known.has(new URL(url).origin),
  };
}
