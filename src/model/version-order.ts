/**
 * Orders two Debian versions as dpkg does (deb-version(7)): epoch, then upstream version, then revision; `~` sorts
 * before the end of a part, letters before other characters, digit runs as numbers. Returns a negative number, zero or
 * a positive number.
 */
export function compareDebianVersions(a: string, b: string): number {
  const left = splitDebianVersion(a);
  const right = splitDebianVersion(b);
  return (
    compareNumbers(left.epoch, right.epoch) ||
    compareParts(left.upstream, right.upstream) ||
    compareParts(left.revision, right.revision)
  );
}

/**
 * Orders versions of upstream projects: like Debian's upstream part, which sorts `1.10` after `1.9` and `1.0~rc1`
 * before `1.0`.
 */
export function compareVersions(a: string, b: string): number {
  return compareParts(a, b);
}

/** Tells whether a version meets conditions such as `<1.11.5` or `>=1.22,<1.27`; all of them must hold. */
export function versionSatisfies(version: string, conditions: string): boolean {
  return conditions.split(',').every((condition) => {
    const [, operator, operand] = /^\s*(<=|>=|<|>|=|!=)?\s*(\S+)\s*$/.exec(condition) ?? [];
    if (operand === undefined) throw new TypeError(`Cannot read "${condition}" as a version condition`);
    const order = compareVersions(version, operand);
    switch (operator) {
      case '<':
        return order < 0;
      case '<=':
        return order <= 0;
      case '>':
        return order > 0;
      case '>=':
        return order >= 0;
      case '!=':
        return order !== 0;
      default:
        return order === 0;
    }
  });
}

/** Tells whether a text is a list of conditions `versionSatisfies` understands. */
export function isVersionCondition(conditions: string): boolean {
  return conditions
    .split(',')
    .every((condition) => /^\s*(<=|>=|<|>|=|!=)?\s*[0-9A-Za-z][0-9A-Za-z+.~_:-]*\s*$/.test(condition));
}

function splitDebianVersion(version: string): { epoch: string; upstream: string; revision: string } {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '0' : version.slice(0, colon),
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  };
}

function compareParts(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a[i]!)) || (j < b.length && !isDigit(b[j]!))) {
      const order = characterOrder(a[i]) - characterOrder(b[j]);
      if (order !== 0) return order;
      if (i < a.length) i += 1;
      if (j < b.length) j += 1;
    }
    const left = digitsAt(a, i);
    const right = digitsAt(b, j);
    const order = compareNumbers(left, right);
    if (order !== 0) return order;
    i += left.length;
    j += right.length;
  }
  return 0;
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

/** End of string and digits are 0, `~` is below, letters are by their code, everything else above letters. */
function characterOrder(character: string | undefined): number {
  if (character === undefined || isDigit(character)) return 0;
  if (character === '~') return -1;
  return /[A-Za-z]/.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}

function digitsAt(text: string, start: number): string {
  let end = start;
  while (end < text.length && isDigit(text[end]!)) end += 1;
  return text.slice(start, end);
}

/** Compares digit runs of any length without losing precision. */
function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
}
