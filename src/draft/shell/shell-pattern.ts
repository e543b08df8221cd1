/** One character of a text: any, one of a set, or itself. */
type OneCharacter = (character: string) => boolean;

/**
 * A pattern of bash with at most one `*`: what stands before it, and what stands behind. Every part before and behind
 * matches exactly one character, so that a match is found without trying anything twice.
 */
export interface ShellPattern {
  readonly head: readonly OneCharacter[];
  /** Undefined where the pattern has no `*`. */
  readonly tail: readonly OneCharacter[] | undefined;
}

/** Longer patterns are not understood: matching takes as many steps as pattern and text multiplied. */
const MOST_CHARACTERS = 100;

/** Reads `*`, `?`, `[a-z]` and `[!a-z]`; undefined for what is not understood (two `*`, classes such as `[[:alpha:]]`). */
export function parseShellPattern(source: string): ShellPattern | undefined {
  if (source.length > MOST_CHARACTERS) return undefined;
  const parts: OneCharacter[][] = [[]];
  for (let at = 0; at < source.length; at += 1) {
    const character = source[at]!;
    if (character === '\\') return undefined;
    if (character === '*') parts.push([]);
    else if (character === '?') parts.at(-1)!.push(() => true);
    else if (character === '[') {
      const end = endOfSet(source, at);
      if (end === undefined) {
        parts.at(-1)!.push((found) => found === '[');
        continue;
      }
      const set = parseSet(source.slice(at + 1, end));
      if (set === undefined) return undefined;
      parts.at(-1)!.push(set);
      at = end;
    } else parts.at(-1)!.push((found) => found === character);
  }
  const [head = [], tail, more] = parts;
  return more === undefined ? { head, tail } : undefined;
}

/** Where the `]` of a set stands; the first character of a set may be one. Undefined where nothing closes it. */
function endOfSet(source: string, at: number): number | undefined {
  const first = source[at + 1] === '!' || source[at + 1] === '^' ? at + 2 : at + 1;
  const end = source.indexOf(']', first + 1);
  return end < 0 ? undefined : end;
}

/** A range whose end comes before its beginning, as `[z-a]`, matches nothing, as in bash. */
function parseSet(members: string): OneCharacter | undefined {
  if (/\[[:.=]/.test(members)) return undefined;
  const isNegated = members.startsWith('!') || members.startsWith('^');
  const listed = isNegated ? members.slice(1) : members;
  const ranges: (readonly [number, number])[] = [];
  for (let at = 0; at < listed.length; at += 1) {
    const from = listed.charCodeAt(at);
    const isRange = listed[at + 1] === '-' && at + 2 < listed.length;
    ranges.push([from, isRange ? listed.charCodeAt(at + 2) : from]);
    if (isRange) at += 2;
  }
  return (character) => {
    const code = character.charCodeAt(0);
    return ranges.some(([from, to]) => from <= code && code <= to) !== isNegated;
  };
}

/** Takes a beginning (`#`, `##`) or an end (`%`, `%%`) off that the pattern matches: the shortest, or the longest. */
export function cutMatch(value: string, operator: '#' | '##' | '%' | '%%', { head, tail }: ShellPattern): string {
  const isEnd = operator.startsWith('%');
  const least = head.length + (tail?.length ?? 0);
  if (least > value.length) return value;
  if (tail === undefined) {
    const at = isEnd ? value.length - least : 0;
    if (!matchesAt(value, at, head)) return value;
    return isEnd ? value.slice(0, at) : value.slice(least);
  }
  const lengths = Array.from({ length: value.length - least + 1 }, (_, more) => least + more);
  if (operator.length === 2) lengths.reverse();
  // One end of the match is fixed, so only the part at the other end is looked for.
  if (isEnd) {
    if (!matchesAt(value, value.length - tail.length, tail)) return value;
    const length = lengths.find((count) => matchesAt(value, value.length - count, head));
    return length === undefined ? value : value.slice(0, value.length - length);
  }
  if (!matchesAt(value, 0, head)) return value;
  const length = lengths.find((count) => matchesAt(value, count - tail.length, tail));
  return length === undefined ? value : value.slice(length);
}

/** Replaces the first or every match of the pattern, the longest from the left, as `${name/…}` and `${name//…}` do. */
export function replaceMatches(value: string, { head, tail }: ShellPattern, by: string, isEvery: boolean): string {
  if (head.length === 0 && (tail?.length ?? 1) === 0) return value === '' ? value : by;
  if (head.length === 0 && tail === undefined) return value;
  const lastTail = tail === undefined ? -1 : lastMatch(value, tail);
  let [result, from] = ['', 0];
  for (let at = 0; at < value.length; at += 1) {
    if (!matchesAt(value, at, head)) continue;
    const end = at + head.length;
    if (tail !== undefined && lastTail < end) continue;
    result += value.slice(from, at) + by;
    from = tail === undefined ? end : lastTail + tail.length;
    if (!isEvery || tail !== undefined) break;
    at = from - 1;
  }
  return result + value.slice(from);
}

function lastMatch(value: string, parts: readonly OneCharacter[]): number {
  for (let at = value.length - parts.length; at >= 0; at -= 1) if (matchesAt(value, at, parts)) return at;
  return -1;
}

function matchesAt(value: string, at: number, parts: readonly OneCharacter[]): boolean {
  return at + parts.length <= value.length && parts.every((matches, index) => matches(value[at + index]!));
}
