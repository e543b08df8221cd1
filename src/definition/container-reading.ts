import type { Problems } from '../document/problems.ts';
import type { YamlMap, YamlScalar } from '../document/yaml-node.ts';
import type { ContainerPackage } from '../model/container.ts';
import type { Witness } from '../system/witness.ts';
import type { Text } from './checked-text.ts';
import { renderTemplate, type TemplateValues } from './template.ts';

/** container.yaml while its steps are read from top to bottom. */
export interface ContainerReading {
  /** Absolute path of the directory of container.yaml. */
  readonly directory: string;
  /** What templates may name: grows with each `vars` step. */
  readonly values: TemplateValues;
  readonly problems: Problems;
  readonly witness: Witness | undefined;
}

/** A package step with the mapping it was written as. */
export interface PlacedPackage {
  readonly package: ContainerPackage;
  readonly node: YamlMap;
}

/** The text of a scalar with templates replaced; undefined when it is absent or wrong. */
export function renderedText(
  reading: ContainerReading,
  node: YamlScalar | undefined,
  escaping: 'none' | 'json' = 'none',
): Text | undefined {
  if (node === undefined) return undefined;
  const text = renderTemplate(node, { ...reading, escaping });
  return text === undefined ? undefined : { node, text };
}
