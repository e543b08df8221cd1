import picomatch from 'picomatch';
import { mapAt, scalarsAt } from '../document/fields.ts';
import { nodeAt, type YamlScalar } from '../document/yaml-node.ts';
import { printable } from '../model/names.ts';
import type { Atom, SubpackageRule } from '../model/package.ts';
import type { RecipeReading } from './recipe-reading.ts';
import type { ResolveContext } from './resolve-package.ts';

/** The parts of a package that are layers of their own, in the order written: `subpackages: {doc: {files: […]}}`. */
export async function readSubpackages(
  { root, problems }: RecipeReading,
  context: Pick<ResolveContext, 'readAtom'>,
): Promise<readonly SubpackageRule[]> {
  const node = nodeAt(root, 'subpackages');
  if (node !== undefined && node.kind !== 'map')
    problems.expected(node, 'subpackages', 'a mapping of names to patterns');
  const map = mapAt(root, 'subpackages');
  const rules: SubpackageRule[] = [];
  for (const { name, key, value } of map?.members ?? []) {
    if (name === 'main') {
      problems.add(key, 'Cannot use the sub-package "main": expected another name, since that is the package itself');
      continue;
    }
    if (value.kind !== 'map') continue;
    const run: Atom[] = [];
    for (const node of scalarsAt(mapAt(value, 'dependencies'), 'run')) {
      const atom = await context.readAtom(node, node.text);
      if (atom !== undefined) run.push(atom);
    }
    const files = scalarsAt(value, 'files').flatMap((node) => acceptPattern(node, problems) ?? []);
    rules.push({ name, files, run });
  }
  return rules;
}

function acceptPattern(node: YamlScalar, problems: RecipeReading['problems']): string | undefined {
  const { text } = node;
  const isClean =
    text.length <= 500 && printable(text) === text && !text.startsWith('/') && !/(^|\/)\.\.?(\/|$)/.test(text);
  if (isClean && isPattern(text)) return text;
  problems.expected(node, 'files', 'a pattern of paths without a leading slash such as usr/share/doc/**');
  return undefined;
}

function isPattern(text: string): boolean {
  try {
    return picomatch.makeRe(text, { dot: true, noextglob: true }) instanceof RegExp;
  } catch {
    return false;
  }
}
