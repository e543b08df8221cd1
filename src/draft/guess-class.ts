/** What lies at the top of a source tree tells how it is built; the first that is there. */
const SIGNS: readonly (readonly [file: string | RegExp, className: string])[] = [
  ['configure', 'autotools'],
  [/^configure\.(?:ac|in)$/, 'autotools'],
  ['meson.build', 'meson'],
  ['CMakeLists.txt', 'cmake'],
  ['Cargo.toml', 'cargo'],
  ['go.mod', 'go'],
  ['pyproject.toml', 'python'],
  ['setup.py', 'python'],
  ['package.json', 'npm'],
  [/^(?:GNUm|M|m)akefile$/, 'make'],
];

export interface GuessedClass {
  readonly name: string;
  /** The file that told it; undefined where none did. */
  readonly sign: string | undefined;
  /** Other files that tell of another class. */
  readonly others: readonly string[];
}

export function guessClass(topLevel: readonly string[]): GuessedClass {
  const found = SIGNS.flatMap(([sign, name]) => {
    const file = topLevel.find((entry) => (typeof sign === 'string' ? entry === sign : sign.test(entry)));
    return file === undefined ? [] : [{ file, name }];
  });
  const [first] = found;
  if (first === undefined) return { name: 'none', sign: undefined, others: [] };
  return {
    name: first.name,
    sign: first.file,
    others: found.filter(({ name }) => name !== first.name).map(({ file }) => file),
  };
}

/** Debian packages that the files of a class need to be turned into a `configure`. */
export function toolsForSign(sign: string | undefined): readonly string[] {
  return sign !== undefined && /^configure\./.test(sign)
    ? ['debian/autoconf', 'debian/automake', 'debian/libtool']
    : [];
}
