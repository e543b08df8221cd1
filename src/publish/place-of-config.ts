import { PROJECT_CONFIG, SPEC_FILE } from '../model/config-names.ts';

/** A configuration of a spec that nothing reads where it is written to; its owner may look at it. */
const BESIDE = 'buildit-config.of-spec.yaml';

/**
 * Where a member of a spec is written, so that it hides no configuration of the place that it is pulled into. The spec's
 * own settings say where its recipes are, and become the file that adds those alone; other configurations are put aside
 * under a name that nobody reads. File systems may not tell cases apart. Undefined for what has no place at all.
 */
export function placeOfConfig(path: string, type: string): string | undefined {
  const elements = path.split('/');
  const name = elements.pop()!;
  const isConfig = (element: string) => element.toLowerCase() === PROJECT_CONFIG;
  const isSpecFile = (element: string) => element.toLowerCase() === SPEC_FILE;
  if ([...elements, name].some(isSpecFile) || elements.some(isConfig)) return undefined;
  if (!isConfig(name)) return path;
  if (type !== 'file') return undefined;
  return [...elements, elements.length === 0 && name === PROJECT_CONFIG ? SPEC_FILE : BESIDE].join('/');
}
