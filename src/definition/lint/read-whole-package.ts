import { mapAt } from '../../document/fields.ts';
import type { ResolvedPackage } from '../../model/package.ts';
import type { DefinitionContext } from '../definition-context.ts';
import type { PackageRequest } from '../package-requests.ts';
import { readAtom } from '../read-atom.ts';
import type { GeneralFlags } from '../resolve-flags.ts';
import { resolvePackage } from '../resolve-package.ts';
import { isWantedVersion, wantedVersionText } from '../wanted-version.ts';

/**
 * Reads a package at every version, with the flags that are on by default, with all of them and with none, so that
 * mistakes are found wherever they stand. A derivation has chosen its version and its flags. What is wrong goes to the
 * problems.
 */
export async function readWholePackage(
  { recipe, origin, derivation, version, asked }: PackageRequest,
  context: DefinitionContext,
): Promise<readonly ResolvedPackage[]> {
  const repository = context.repositories.find(({ name }) => name === recipe.repository);
  const general = repository === undefined ? [context.use] : [repository.use, context.use];
  const flags = (mapAt(recipe.root, 'flags')?.members ?? []).map(({ name }) => name);
  const variants: readonly GeneralFlags[] =
    derivation !== undefined || flags.length === 0
      ? [NO_CHANGE]
      : [NO_CHANGE, { with: flags, without: [] }, { with: [], without: flags }];
  const wanted = recipe.versions.filter(
    (one) => version === undefined || isWantedVersion(version.wanted, one, recipe.scheme),
  );
  if (version !== undefined && wanted.length === 0) {
    const [asks, has] = [wantedVersionText(version.wanted), recipe.versions.slice(0, MOST_SHOWN).join(', ')];
    const message = `Cannot choose a version of "${recipe.name}": expected ${asks}, found ${has}`;
    context.problems.add(version.node, message, { code: 'dependency-unsatisfied' });
  }
  const versions = derivation === undefined ? wanted : wanted.slice(0, 1);
  const packages: ResolvedPackage[] = [];
  for (const one of versions) {
    for (const variant of variants) {
      const use = { general: [...general, variant], asked };
      const choices = { version: one, origin, use, derivation };
      const reading = await resolvePackage(recipe, choices, {
        ...context,
        readAtom: (node, text) => readAtom(node, text, context),
      });
      packages.push(reading.package);
    }
  }
  return packages;
}

const MOST_SHOWN = 10;

const NO_CHANGE: GeneralFlags = { with: [], without: [] };
