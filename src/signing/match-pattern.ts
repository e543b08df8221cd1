/** Whether a text matches a pattern of ssh (ssh_config(5), PATTERNS): `*` is any text, `?` any one character. */
export function matchesPattern(text: string, pattern: string): boolean {
  let [at, star, resume] = [0, -1, 0];
  let position = 0;
  while (position < text.length) {
    if (at < pattern.length && pattern[at] === '*') {
      star = at;
      at += 1;
      resume = position;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[position])) {
      at += 1;
      position += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      position = resume;
    } else return false;
  }
  return /^\**$/.test(pattern.slice(at));
}

/** Whether a text matches one of these patterns and none of those that begin with `!`. */
export function matchesPatternList(text: string, patterns: readonly string[]): boolean {
  const refused = patterns.some((pattern) => pattern.startsWith('!') && matchesPattern(text, pattern.slice(1)));
  return !refused && patterns.some((pattern) => !pattern.startsWith('!') && matchesPattern(text, pattern));
}
