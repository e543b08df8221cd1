import type { IndexReader } from './fetch-index.ts';
import { parseSourcePackages, type SourcePackage } from './source-package.ts';

/** The source packages of an index. Of the tens of thousands a run asks for few: the others stay texts. */
export interface SourceIndex {
  /** All versions of that name. */
  named(name: string): readonly SourcePackage[];
  /** The package that makes a binary package. */
  makerOf(binary: string): SourcePackage | undefined;
  /** All names, in the order of the index. */
  names(): readonly string[];
}

/** Kept as one line of JSON for each package, its name first. */
export const SOURCE_INDEX: IndexReader<SourceIndex> = {
  namespace: 'debian-source-packages',
  format: 1,
  toText: (stanzas, place) =>
    parseSourcePackages(stanzas, place)
      .map((entry) => `${JSON.stringify(entry)}\n`)
      .join(''),
  fromText: readLines,
};

const NAME = /^\{"name":"([^"]+)"/;

function readLines(text: string): SourceIndex {
  const lines = text.split('\n').slice(0, -1);
  const byName = new Map<string, string[]>();
  for (const line of lines) {
    const name = NAME.exec(line)?.[1] ?? '';
    const versions = byName.get(name);
    if (versions === undefined) byName.set(name, [line]);
    else versions.push(line);
  }
  return {
    named: (name) => (byName.get(name) ?? []).map(parse),
    makerOf: (binary) =>
      lines
        .filter((line) => line.includes(`"${binary}"`))
        .map(parse)
        .find(({ binaries }) => binaries.includes(binary)),
    names: () => [...byName.keys()],
  };
}

function parse(line: string): SourcePackage {
  return JSON.parse(line) as SourcePackage;
}
