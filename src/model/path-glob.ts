/** Tells whether a path, elements separated by slashes, is one that a pattern means. */
export type PathGlob = (path: string) => boolean;

/** More alternatives than a person writes; each is a pattern of its own. */
const MOST_ALTERNATIVES = 200;
/** PATH_MAX of Linux. Matching takes as many steps as pattern and path multiplied. */
const MOST_CHARACTERS = 4096;

/**
 * Reads a pattern of paths: `*` is anything but a slash, `**` as a whole element is any number of elements, `?` one
 * character, `[a-z]` one of a set, `[!a-z]` one of all others, `{a,b}` either; `\` takes the next character as it is. A
 * leading dot is a character like others. Undefined for what is no pattern.
 *
 * Patterns come from strangers, and so do the paths. A regular expression goes back over every star it has passed, which
 * takes as good as forever for a few stars; this goes back to the last one alone, which is enough, so that the time is at
 * most the product of both lengths.
 */
export function pathGlob(pattern: string): PathGlob | undefined {
  if (pattern.length > MOST_CHARACTERS) return undefined;
  const alternatives = expandBraces(pattern);
  const globs = alternatives?.map(elementTokens);
  if (globs === undefined || globs.length > MOST_ALTERNATIVES || globs.includes(undefined)) return undefined;
  return (path) => {
    const elements = path.split('/');
    return globs.some((tokens) => fits(tokens!, elements));
  };
}

/** `'any'` stands for any number of items, a function for one that it accepts. */
type Token<Item> = 'any' | ((item: Item) => boolean);

function fits<Item>(tokens: readonly Token<Item>[], items: readonly Item[]): boolean {
  let token = 0;
  let item = 0;
  let lastAny = -1;
  let itemOfAny = 0;
  while (item < items.length) {
    const expected = tokens[token];
    if (expected === 'any') {
      lastAny = token++;
      itemOfAny = item;
    } else if (expected?.(items[item]!) === true) {
      token += 1;
      item += 1;
    } else if (lastAny >= 0) {
      token = lastAny + 1;
      item = ++itemOfAny;
    } else {
      return false;
    }
  }
  while (tokens[token] === 'any') token += 1;
  return token === tokens.length;
}

function elementTokens(pattern: string): readonly Token<string>[] | undefined {
  const tokens: Token<string>[] = [];
  for (const element of pattern.split('/')) {
    if (element === '') return undefined;
    if (element === '**') tokens.push('any');
    else {
      const characters = characterTokens(element);
      if (characters === undefined) return undefined;
      tokens.push((name) => fits(characters, Array.from(name)));
    }
  }
  return tokens;
}

function characterTokens(element: string): readonly Token<string>[] | undefined {
  const characters = Array.from(element);
  const tokens: Token<string>[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at]!;
    if (character === '*') tokens.push('any');
    else if (character === '?') tokens.push(() => true);
    else if (character === '[') {
      const set = readSet(characters, at);
      if (set === undefined) return undefined;
      tokens.push(set.accepts);
      at = set.end;
    } else {
      if (character === '\\') at += 1;
      const wanted = characters[at];
      if (wanted === undefined) return undefined;
      tokens.push((found) => found === wanted);
    }
  }
  return tokens;
}

/** A set from its opening bracket; a closing one right after the opening is a member. */
function readSet(characters: readonly string[], start: number) {
  const isNegated = characters[start + 1] === '!' || characters[start + 1] === '^';
  const ranges: [string, string][] = [];
  let at = start + (isNegated ? 2 : 1);
  const next = () => (characters[at] === '\\' ? characters[++at] : characters[at]);
  for (let isFirst = true; isFirst || characters[at] !== ']'; isFirst = false) {
    const from = next();
    if (from === undefined) return undefined;
    at += 1;
    let to = from;
    if (characters[at] === '-' && characters[at + 1] !== ']' && characters[at + 1] !== undefined) {
      at += 1;
      to = next()!;
      if (to === undefined || to < from) return undefined;
      at += 1;
    }
    ranges.push([from, to]);
  }
  const isMember = (found: string) => ranges.some(([from, to]) => from <= found && found <= to);
  return { accepts: (found: string) => isMember(found) !== isNegated, end: at };
}

/** Every text that the braces of a pattern stand for; undefined where there are too many or one stays open. */
function expandBraces(pattern: string): readonly string[] | undefined {
  const parts = splitBraces(pattern);
  if (parts === undefined) return undefined;
  if (parts === 'none') return [pattern];
  const { before, options, after } = parts;
  const rest = expandBraces(after);
  if (rest === undefined) return undefined;
  const expanded: string[] = [];
  for (const option of options) {
    const inner = expandBraces(option);
    if (inner === undefined || inner.length * rest.length + expanded.length > MOST_ALTERNATIVES) return undefined;
    for (const middle of inner) for (const end of rest) expanded.push(before + middle + end);
  }
  return expanded;
}

/** The first pair of braces; one that holds no comma stands for itself. */
function splitBraces(pattern: string) {
  const start = unescaped(pattern, 0, '{');
  if (start === undefined) return 'none';
  const commas: number[] = [];
  let depth = 1;
  let end = start + 1;
  for (; end < pattern.length && depth > 0; end += 1) {
    const character = pattern[end];
    if (character === '\\') end += 1;
    else if (character === '{') depth += 1;
    else if (character === '}') depth -= 1;
    else if (character === ',' && depth === 1) commas.push(end);
  }
  if (depth > 0) return undefined;
  const [before, after] = [pattern.slice(0, start), pattern.slice(end)];
  if (commas.length === 0)
    return { before: `${before}\\{`, options: [pattern.slice(start + 1, end - 1)], after: `\\}${after}` };
  const edges = [start, ...commas, end - 1];
  return { before, options: edges.slice(1).map((edge, index) => pattern.slice(edges[index]! + 1, edge)), after };
}

function unescaped(text: string, from: number, wanted: string): number | undefined {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === wanted) return at;
  }
  return undefined;
}
