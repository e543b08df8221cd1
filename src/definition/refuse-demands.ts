import type { Problems } from '../document/problems.ts';
import { versionOrder } from '../model/version-order.ts';
import { foreignOperand } from '../model/version-range.ts';
import type { Recipe } from './recipe.ts';
import { allowedVersions, demandText, meetDemands, type VersionDemand } from './version-demand.ts';
import { wantedVersionText } from './wanted-version.ts';

const MAXIMUM_SHOWN = 10;

/**
 * Complains about demands on a recipe that no version meets: about one that none meets by itself, or about one that goes
 * against others. Returns whether all of them can be met at once.
 */
export function refuseDemands(recipe: Recipe, demands: readonly VersionDemand[], problems: Problems): boolean {
  const possible = demands.filter((demand) => isPossible(recipe, demand, problems));
  const { met, unmet } = meetDemands(recipe, possible);
  for (const demand of unmet) {
    const against = met.find((other) => meetDemands(recipe, [other, demand]).unmet.length > 0);
    const all = [demand, ...(against === undefined ? met : [against])];
    const message = `Cannot choose a version of "${recipe.name}": ${all.map(demandText).join(', ')}`;
    const hasRange = all.some(({ wanted }) => wanted.kind === 'range');
    problems.add(demand.node, message, {
      code: 'dependency-unsatisfied',
      hint: hasRange ? `its versions are ${shownVersions(recipe)}` : undefined,
    });
  }
  return possible.length === demands.length && unmet.length === 0;
}

function isPossible(recipe: Recipe, demand: VersionDemand, problems: Problems): boolean {
  const { wanted, node } = demand;
  const foreign = wanted.kind === 'range' ? foreignOperand(wanted.range, recipe.scheme) : undefined;
  if (foreign !== undefined) {
    const { example } = versionOrder(recipe.scheme);
    const message = `Cannot compare "${foreign}" with the versions of "${recipe.name}": expected one of the scheme ${recipe.scheme} such as ${example}`;
    problems.add(node, message);
    return false;
  }
  if (allowedVersions(recipe, demand).length > 0) return true;
  const message = `Cannot choose a version of "${recipe.name}": expected ${wantedVersionText(wanted)}, found ${shownVersions(recipe)}`;
  problems.add(node, message, { code: 'dependency-unsatisfied' });
  return false;
}

export function shownVersions({ versions }: Recipe): string {
  return versions.slice(0, MAXIMUM_SHOWN).join(', ');
}
