import { mapAt, scalarAt, scalarsAt } from '../document/fields.ts';
import { positionOf } from '../document/yaml-node.ts';
import { type LintAllowance, OUTPUT_LINT_CODES } from '../model/output-lint.ts';
import { acceptPattern } from './path-pattern.ts';
import type { RecipeReading } from './recipe-reading.ts';

/**
 * What one pkg.yaml allows a finished build to be: `allow: {set-id: "su needs it"}`, or with paths
 * `allow: {set-id: {reason: "su needs it", paths: [usr/bin/su]}}`.
 */
export function readAllowances(reading: RecipeReading): readonly LintAllowance[] {
  const { root, problems } = reading;
  return (mapAt(root, 'allow')?.members ?? []).flatMap(({ key, name, value }): LintAllowance[] => {
    const code = OUTPUT_LINT_CODES.find((known) => known === name);
    if (code === undefined) return [];
    const map = value.kind === 'map' ? value : undefined;
    const reason = reading.rendered(value.kind === 'scalar' ? value : scalarAt(map, 'reason'));
    if (reason === undefined) return [];
    const check = { label: `allow.${code}.paths`, problems };
    const paths = scalarsAt(map, 'paths').flatMap((node) => {
      const text = reading.rendered(node);
      return (text && acceptPattern(text, check)) ?? [];
    });
    return [{ code, reason: reason.text, paths, position: positionOf(key) }];
  });
}
