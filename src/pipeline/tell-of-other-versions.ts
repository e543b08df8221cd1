import { mapAt } from '../document/fields.ts';
import { parseYaml } from '../document/parse-yaml.ts';
import type { PatchedPackage } from './patch-package.ts';

/** A new patch is one of all versions of a recipe: says so to whoever chose one version, where there are others. */
export function tellOfOtherVersions(
  { definition, package: { name }, run }: PatchedPackage,
  key: string,
  version: string | undefined,
): void {
  const root = parseYaml(definition, 'definition-invalid');
  const versions = root.kind === 'map' ? (mapAt(root, 'versions')?.members ?? []) : [];
  if (version === undefined || versions.length < 2) return;
  const text = `${key} applies to every version of ${name}; to give it to ${version} alone, name it in "patches" of that version in pkg.yaml`;
  run.options.context.emit({ kind: 'notice', text });
}
