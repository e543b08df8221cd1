import { mapAt, scalarsAt } from '../document/fields.ts';
import { nodeAt, type YamlScalar } from '../document/yaml-node.ts';
import type { Atom, SubpackageRule } from '../model/package.ts';
import { acceptPattern } from './path-pattern.ts';
import type { RecipeReading } from './recipe-reading.ts';
import type { ResolveContext } from './resolve-package.ts';

export interface ReadSubpackages {
  readonly rules: readonly SubpackageRule[];
  /** What the parts run with, and where that is written. */
  readonly places: readonly { readonly atom: Atom; readonly node: YamlScalar }[];
}

/** The parts of a package that are layers of their own, in the order written: `subpackages: {doc: {files: […]}}`. */
export async function readSubpackages(
  { root, problems }: RecipeReading,
  context: Pick<ResolveContext, 'readAtom'>,
): Promise<ReadSubpackages> {
  const node = nodeAt(root, 'subpackages');
  if (node !== undefined && node.kind !== 'map')
    problems.expected(node, 'subpackages', 'a mapping of names to patterns');
  const map = mapAt(root, 'subpackages');
  const rules: SubpackageRule[] = [];
  const places: { atom: Atom; node: YamlScalar }[] = [];
  for (const { name, key, value } of map?.members ?? []) {
    if (name === 'main') {
      problems.add(key, 'Cannot use the sub-package "main": expected another name, since that is the package itself');
      continue;
    }
    if (value.kind !== 'map') continue;
    const run: Atom[] = [];
    for (const node of scalarsAt(mapAt(value, 'dependencies'), 'run')) {
      const atom = await context.readAtom(node, node.text);
      if (atom === undefined) continue;
      run.push(atom);
      places.push({ atom, node });
    }
    const check = { label: 'files', problems };
    const files = scalarsAt(value, 'files').flatMap((node) => acceptPattern({ node, text: node.text }, check) ?? []);
    rules.push({ name, files, run });
  }
  return { rules, places };
}
