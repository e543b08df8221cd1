import { Problems } from '../document/problems.ts';
import type { PackageSource } from '../model/package.ts';
import { hostPlatform } from '../system/host-platform.ts';
import { asRecipe, isDerivation, readRecipeSource } from './read-recipe.ts';
import { createRecipeReading } from './recipe-reading.ts';
import { templateValues } from './resolve-package.ts';
import { resolveSources } from './resolve-sources.ts';
import { readVendorRequests, type VendorRequest } from './resolve-vendor.ts';

/** One version of a recipe with the lock files it names; none where it has no `vendor`. */
export interface VendorRecipeVersion {
  readonly version: string;
  readonly main: PackageSource | undefined;
  readonly requests: readonly VendorRequest[];
}

/** Reads the recipe in a directory as far as `lock --vendor` needs it, every version. Throws all that is wrong. */
export async function readVendorRecipe(directory: string): Promise<readonly VendorRecipeVersion[]> {
  const problems = new Problems('definition-invalid');
  const source = await readRecipeSource(directory, { boundary: directory, problems, witness: undefined });
  problems.throwAll();
  if (source !== undefined && isDerivation(source)) {
    problems.add(source.root, 'Cannot lock "pkg.yaml": expected a recipe, found a derivation of another', {
      hint: 'the recipe it is made from has the vendor.lock',
    });
  }
  const recipe = source && asRecipe(source, { repository: '', problems });
  problems.throwAll();
  const versions: VendorRecipeVersion[] = [];
  for (const version of recipe?.versions ?? []) {
    const values = templateValues(recipe!.name, version, hostPlatform());
    const reading = createRecipeReading({ root: recipe!.root, directory, values, problems, witness: undefined });
    const sources = await resolveSources(reading, version);
    versions.push({ version, main: sources[0], requests: await readVendorRequests(reading, sources) });
  }
  problems.throwAll();
  return versions;
}
