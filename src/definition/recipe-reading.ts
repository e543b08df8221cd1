import type { Problems } from '../document/problems.ts';
import type { YamlMap, YamlScalar } from '../document/yaml-node.ts';
import type { Witness } from '../system/witness.ts';
import type { Text } from './checked-text.ts';
import { renderTemplate, type TemplateValues } from './template.ts';

/** One pkg.yaml while it is turned into a package: its tree, where it lies, and what its templates may name. */
export interface RecipeReading {
  readonly root: YamlMap;
  readonly directory: string;
  readonly values: TemplateValues;
  readonly problems: Problems;
  readonly witness: Witness | undefined;
  /** The text of a scalar with templates replaced; undefined when it is absent or wrong. */
  rendered(node: YamlScalar | undefined): Text | undefined;
}

export function createRecipeReading(reading: Omit<RecipeReading, 'rendered'>): RecipeReading {
  return {
    ...reading,
    rendered(node) {
      const text = node === undefined ? undefined : renderTemplate(node, reading);
      return text === undefined ? undefined : { node: node!, text };
    },
  };
}
