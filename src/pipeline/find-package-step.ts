import { wantedVersionOf, wantedVersionText } from '../definition/wanted-version.ts';
import { didYouMean } from '../document/closest-name.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { WrittenPackage } from './container-steps.ts';
import { parseWanted } from './wanted-package.ts';

/** The step that something typed means: by its name, its path, its name with the version, or its name alone. */
export function findStepFor(
  typed: string,
  written: readonly WrittenPackage[],
  place: { readonly directory: string; readonly cwd: string },
): WrittenPackage {
  const isBare = !typed.includes('/');
  const found = isBare ? written.filter(({ names }) => isCalled(names, typed)) : stepsMeant(typed, written, place);
  if (found.length === 1) return found[0]!;
  const all = written.map(({ shown }) => shown);
  throw new BuilditError(
    'usage',
    `Cannot remove "${printable(typed)}": expected one step of container.yaml, found ${found.length === 0 ? 'none' : found.map(({ shown }) => shown).join(' and ')}`,
    {
      hint:
        found.length > 0
          ? 'name it with its category'
          : (didYouMean(
              typed,
              written.flatMap(({ names }) => names),
            ) ?? (all.length === 0 ? 'it has no step "package"' : `there are ${all.join(', ')}`)),
    },
  );
}

function isCalled(names: readonly string[], bare: string): boolean {
  return names.some((name) => name.slice(name.lastIndexOf('/') + 1) === bare);
}

function stepsMeant(
  typed: string,
  written: readonly WrittenPackage[],
  place: { readonly directory: string; readonly cwd: string },
): readonly WrittenPackage[] {
  const { wanted } = parseWanted(typed, place);
  switch (wanted.kind) {
    case 'embedded':
      return written.filter(({ names }) => names.includes(wanted.path));
    case 'debian':
      return written.filter(
        ({ names, version }) =>
          names.includes(`debian/${wanted.name}`) && (wanted.version === undefined || wanted.version === version),
      );
    case 'recipe':
      for (const reading of wanted.readings) {
        const stated = wantedVersionOf(reading);
        const found = written.filter(
          (step) =>
            step.names.includes(`${reading.category}/${reading.name}`) &&
            (stated === undefined || wantedVersionText(stated) === step.version),
        );
        if (found.length > 0) return found;
      }
      return [];
  }
}
