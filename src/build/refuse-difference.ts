import { BuilditError } from '../model/errors.ts';
import type { DiffId } from '../model/layer.ts';
import type { PackageRecord } from '../model/record.ts';

/** What somebody who counts said about a build before; `place` is `locally` or the name of a binhost. */
export interface EarlierRecord {
  readonly place: 'locally' | string;
  readonly record: { readonly outputs: Readonly<Record<string, { readonly diffId: DiffId }>> };
}

/**
 * Holds what was built against every record of the same build.
 *
 * @throws BuilditError `not-reproducible`, with one line for each record that says something else
 */
export function refuseDifference(record: PackageRecord, earlier: readonly EarlierRecord[]): void {
  const differences = earlier.flatMap(({ place, record: other }) => {
    const name = differentOutput(other, record);
    return name === undefined ? [] : [{ place, name, before: layerOf(other, name), after: layerOf(record, name) }];
  });
  const [first] = differences;
  if (first === undefined) return;
  const layer = first.name === 'main' ? 'the layer' : `the layer of ${first.name}`;
  throw new BuilditError(
    'not-reproducible',
    `Cannot keep "${record.name}-${record.version}": expected ${layer} ${first.before} as built before, found ${first.after}`,
    {
      details: differences.map(({ place, name, before }) => `${shownPlace(place)}: ${name} ${before}`),
      hint: 'the build depends on something outside its HASH: a clock, a random number, the order of files or of parallel jobs',
    },
  );
}

function differentOutput(before: EarlierRecord['record'], after: EarlierRecord['record']): string | undefined {
  const names = [...new Set([...Object.keys(before.outputs), ...Object.keys(after.outputs)])].sort();
  return names.find((name) => layerOf(before, name) !== layerOf(after, name));
}

function layerOf({ outputs }: EarlierRecord['record'], name: string): string {
  return outputs[name]?.diffId ?? 'none';
}

function shownPlace(place: string): string {
  return place === 'locally' ? 'built on this machine' : `at '${place}'`;
}
