import { didYouMean } from '../document/closest-name.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { hashMatches } from '../model/package-hash.ts';
import type { BuildStep, Plan } from '../model/plan.ts';
import { withoutTrailing } from '../model/without-trailing.ts';

/**
 * The step a person means by `category/name` with or without its version, its name alone, the directory of an embedded
 * package, or the beginning of its HASH.
 */
export function findStep({ steps }: Pick<Plan, 'steps'>, typed: string): BuildStep {
  const name = cleanPath(typed);
  const isMeant = [
    (step: BuildStep) => step.name === name || `${step.name}-${step.version}` === name,
    ({ package: { origin } }: BuildStep) =>
      origin.kind === 'embedded' && (cleanPath(origin.shownPath) === name || origin.directory === name),
    (step: BuildStep) => step.name.split('/')[1] === name,
    ({ hash }: BuildStep) => hashMatches(hash, name),
  ];
  const found = isMeant.map((test) => steps.filter(test)).find((group) => group.length > 0) ?? [];
  if (found.length === 1) return found[0]!;
  const known = steps.map((step) => step.name);
  throw new BuilditError(
    'usage',
    `Cannot find "${printable(typed)}" among the packages of this container: expected one, found ${
      found.length === 0 ? 'none' : found.map((step) => step.name).join(' and ')
    }`,
    { hint: didYouMean(name, known) ?? `it builds ${known.join(', ')}` },
  );
}

function cleanPath(text: string): string {
  return withoutTrailing(text.replace(/^\.\//, ''), '/');
}
