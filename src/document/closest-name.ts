const MAXIMUM_LENGTH = 100;
/** Fewer letters begin too many names to mean one of them. */
const SHORTEST_BEGINNING = 4;

/**
 * The candidate a person most likely meant: one that differs by a letter; else the only one that begins with the name;
 * else within a third of the name's letters the nearest, then the first.
 */
export function closestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAXIMUM_LENGTH) return undefined;
  const wanted = name.toLowerCase();
  const limit = Math.max(1, Math.floor(wanted.length / 3));
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  const longer: string[] = [];
  for (const candidate of candidates) {
    if (wanted.length >= SHORTEST_BEGINNING && candidate.toLowerCase().startsWith(wanted)) longer.push(candidate);
    if (candidate.length > MAXIMUM_LENGTH || Math.abs(candidate.length - wanted.length) > limit) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { candidate, distance };
  }
  const [only, another] = longer;
  const isBeginning = only !== undefined && another === undefined && (best === undefined || best.distance > 1);
  return isBeginning ? only : best?.candidate;
}

/** `did you mean "chmod"?`, or nothing when no candidate is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string | undefined {
  const closest = closestName(name, candidates);
  return closest === undefined ? undefined : `did you mean "${closest}"?`;
}

/** Letters to insert, remove, replace or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, beforeLast[j - 2]! + 1);
      }
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
