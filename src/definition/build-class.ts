import { mapAt, scalarAt, scalarsAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import type { YamlMap, YamlScalar } from '../document/yaml-node.ts';
import { PHASE_NAMES, type PhaseName } from '../model/package.ts';
import { resolveEnvironment } from './resolve-environment.ts';
import { renderTemplate, type TemplateValues } from './template.ts';

/** The kinds of dependencies that a class may have. */
export const CLASS_DEPENDENCY_KINDS = ['build', 'run'] as const;
type ClassDependencyKind = (typeof CLASS_DEPENDENCY_KINDS)[number];

/** How a kind of source tree is built: what a recipe's `class` stands for. All but `run` enters the HASH. */
export interface BuildClass {
  readonly phases: Readonly<Partial<Record<PhaseName, string>>>;
  readonly environment: Readonly<Record<string, string>>;
  /** As written: what an atom means depends on who uses the class. */
  readonly dependencies: Readonly<Record<ClassDependencyKind, readonly YamlScalar[]>>;
}

export const EMPTY_CLASS: BuildClass = { phases: {}, environment: {}, dependencies: { build: [], run: [] } };

/** What a class's file makes of one package: its templates rendered. */
export function renderClass(root: YamlMap, values: TemplateValues, problems: Problems): BuildClass {
  const own = mapAt(root, 'phases');
  const phases: Partial<Record<PhaseName, string>> = {};
  for (const name of PHASE_NAMES) {
    const node = scalarAt(own, name);
    const script = node && renderTemplate(node, { values, problems });
    if (script !== undefined) phases[name] = script;
  }
  return {
    phases,
    environment: resolveEnvironment({}, [root], values, problems),
    dependencies: classDependencies(root),
  };
}

export function classDependencies(root: YamlMap): BuildClass['dependencies'] {
  const dependencies = mapAt(root, 'dependencies');
  return { build: scalarsAt(dependencies, 'build'), run: scalarsAt(dependencies, 'run') };
}
