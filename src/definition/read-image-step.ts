import { integerAt, mapAt, scalarAt, scalarsAt, textAt } from '../document/fields.ts';
import { memberOf, positionOf, type YamlMap } from '../document/yaml-node.ts';
import type { ImageDefinition, LayerCompression } from '../model/container.ts';
import { acceptText } from './checked-text.ts';
import { type ContainerReading, renderedText } from './container-reading.ts';
import { readOciConfig, readTexts } from './read-oci-config.ts';

const DEFAULT_LAYER_BUDGET = 100;
/** moby's layer store takes 125 (layer/layer_store.go, maxLayerDepth), podman 128. */
const LARGEST_LAYER_BUDGET = 125;
const COMPRESSIONS: readonly LayerCompression[] = ['zstd', 'gzip', 'none'];
/** The distribution specification's pattern of a tag. */
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

/** Reads one image step; undefined when it is wrong, which was complained about. */
export function readImageStep(map: YamlMap, reading: ContainerReading): ImageDefinition | undefined {
  switch (textAt(map, 'type')) {
    case 'aci':
      return readAci(map, reading);
    case 'oci':
      return readOci(map, reading);
    default:
      return undefined;
  }
}

function readAci(map: YamlMap, reading: ContainerReading): ImageDefinition | undefined {
  const node = scalarAt(map, 'content');
  const manifest = renderedText(reading, node, 'json');
  if (node === undefined || manifest === undefined) return undefined;
  const problem = jsonObjectProblem(manifest.text);
  if (problem !== undefined) {
    reading.problems.add(node, `Cannot read "image.content": expected a JSON object, found ${problem}`);
    return undefined;
  }
  return { kind: 'aci', manifest: manifest.text, position: positionOf(map) };
}

function jsonObjectProblem(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (value === null) return 'null';
    return Array.isArray(value) ? 'a list' : typeof value === 'object' ? undefined : `a ${typeof value}`;
  } catch (error) {
    return (error as Error).message;
  }
}

function readOci(map: YamlMap, reading: ContainerReading): ImageDefinition {
  const { problems } = reading;
  const compression = COMPRESSIONS.find((name) => name === textAt(map, 'compression')) ?? 'zstd';
  const rules = { label: 'image.layers.budget', minimum: 1, maximum: LARGEST_LAYER_BUDGET, problems };
  return {
    kind: 'oci',
    config: readOciConfig(mapAt(map, 'config'), reading),
    compression,
    layerBudget: integerAt(mapAt(map, 'layers'), 'budget', rules) ?? DEFAULT_LAYER_BUDGET,
    tags: readTags(map, reading),
    annotations: readTexts(mapAt(map, 'annotations'), reading, { label: 'image.annotations', problems }),
    position: positionOf(map),
  };
}

/** Without `tags` the version, with `_` for the characters that a version may have and a tag may not. */
function readTags(map: YamlMap, reading: ContainerReading): readonly string[] {
  if (memberOf(map, 'tags') === undefined) {
    const version = reading.values.get('version') ?? 'latest';
    return [version.replace(/[^A-Za-z0-9_.-]/g, '_')];
  }
  const check = { label: 'image.tags', problems: reading.problems };
  const expected = 'a tag of letters, digits, ".", "_" and "-"';
  const tags = scalarsAt(map, 'tags').flatMap(
    (node) => acceptText(renderedText(reading, node), expected, (text) => TAG.test(text), check) ?? [],
  );
  return [...new Set(tags)];
}
