import type { JsonValue } from '../model/canonical-json.ts';
import type { JsonDifference } from '../model/json-difference.ts';
import { printable } from '../model/names.ts';
import { hashAsUuid } from '../model/package-hash.ts';
import type { HashComparison, PackageExplanation } from '../pipeline/explain-run.ts';

const MOST_SHOWN = 40;
const MOST_TEXT = 200;

type NameOf = (hash: string) => string | undefined;

/** Where a package comes from, or why it is built and what comes nearest to it elsewhere. */
export function explanationLines(
  { name, version, hash, availability, nearest, otherPlatforms }: PackageExplanation,
  nameOf: NameOf,
): string[] {
  const title = `${name}-${version}  ${hashAsUuid(hash)}`;
  if (availability.kind === 'hit') {
    return [
      `${title} is ${availability.place === 'locally' ? 'in the store' : `at '${printable(availability.place)}'`}`,
    ];
  }
  return [
    `${title} has to be built: ${printable(availability.reason)}`,
    ...otherPlatforms.map(
      ({ place, platforms }) =>
        `  '${printable(place)}' has this version, but for ${platforms.map(printable).join(', ')}`,
    ),
    ...nearest.flatMap(({ place, hash: other, version: its, differences }) => [
      `  nearest at '${printable(place)}': ${hashAsUuid(other)}, version ${printable(its)}`,
      ...(differences === undefined
        ? ['    what that is made of is not told there']
        : differenceLines(differences, nameOf).map((line) => `    ${line}`)),
    ]),
  ];
}

export function comparisonLines({ left, right, differences }: HashComparison): string[] {
  if (differences.length === 0) return [`${hashAsUuid(left)} and ${hashAsUuid(right)} are the same`];
  return [`- ${hashAsUuid(left)}`, `+ ${hashAsUuid(right)}`, ...differenceLines(differences, () => undefined)];
}

function differenceLines(differences: readonly JsonDifference[], nameOf: NameOf): string[] {
  const shown = differences
    .slice(0, MOST_SHOWN)
    .flatMap(({ path, left, right }) => [
      `${path.map((part) => printable(String(part))).join('.')}:`,
      ...sideLines('-', left, nameOf),
      ...sideLines('+', right, nameOf),
    ]);
  const rest = differences.length - MOST_SHOWN;
  return rest > 0 ? [...shown, `and ${rest} more`] : shown;
}

function sideLines(sign: string, value: JsonValue | undefined, nameOf: NameOf): string[] {
  if (value === undefined) return [];
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const name = typeof value === 'string' ? nameOf(value) : undefined;
  const lines = text.replace(/\n$/, '').split('\n').slice(0, MOST_SHOWN);
  return lines.map((line) => {
    const cut = line.length > MOST_TEXT ? `${line.slice(0, MOST_TEXT)}…` : line;
    return `  ${sign} ${printable(cut)}${name === undefined ? '' : `  ${name}`}`;
  });
}
