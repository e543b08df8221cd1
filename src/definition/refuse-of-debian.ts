import { nodeAt, type YamlMap } from '../document/yaml-node.ts';
import type { RecipeFile } from '../model/package.ts';
import type { RecipeReading } from './recipe-reading.ts';

/** Keys that the rules of a Debian source package never see. */
const KEYS = ['capabilities', 'configure'] as const;

/** Complains about what a package of `class: debian`, or a derivation of one, says in vain. */
export function refuseOfDebian(
  { root, problems }: Pick<RecipeReading, 'root' | 'problems'>,
  change: { readonly root: YamlMap; readonly files: readonly RecipeFile[] } | undefined,
): void {
  for (const key of KEYS) {
    for (const node of [nodeAt(root, key), nodeAt(change?.root, key)]) {
      if (node === undefined) continue;
      const message = `Cannot use "${key}": expected a package that is built by phases, found "class: debian"`;
      problems.add(node, message, { hint: key === 'configure' ? RULES_HINT : undefined });
    }
  }
  if (change === undefined || change.files.length === 0) return;
  const message = 'Cannot use the directory "files": expected a package that is built by phases, found "class: debian"';
  problems.add(change.root, message, { hint: RULES_HINT });
}

const RULES_HINT = 'debian/rules says how it is built: change that, and add files, with a patch';
