import { mapAt, scalarAt, scalarsAt } from '../document/fields.ts';
import { Problems } from '../document/problems.ts';
import { readDocument } from '../document/read-document.ts';
import { validateSchema } from '../document/validate-schema.ts';
import type { YamlMap } from '../document/yaml-node.ts';
import type { RepositoryDefinition } from '../model/container.ts';
import { isDebianPackageName, isFlagName, isRepositoryName, isSuiteName } from '../model/names.ts';
import type { Witness } from '../system/witness.ts';
import { acceptText } from './checked-text.ts';

/** Reads and checks `directory/repository.yaml`. */
export async function readRepository(
  directory: string,
  { witness }: { readonly witness?: Witness | undefined } = {},
): Promise<RepositoryDefinition> {
  const problems = new Problems('definition-invalid');
  const root = await readDocument(directory, 'repository.yaml', { code: 'definition-invalid', witness });
  await validateSchema('repository', root, problems, {});
  const map = root.kind === 'map' ? root : undefined;
  const debian = mapAt(map, 'debian');
  const packages = mapAt(map, 'root');
  const use = mapAt(map, 'use');
  const nameNode = scalarAt(map, 'name');
  const check = { label: 'name', problems };
  const name = acceptText(
    nameNode && { node: nameNode, text: nameNode.text },
    'a name such as main',
    isRepositoryName,
    check,
  );
  const suites = accepted(debian, 'suites', 'a suite such as bookworm', isSuiteName, problems);
  const imageSuites = accepted(debian, 'image-suites', 'a suite such as bookworm', isSuiteName, problems);
  const debianNames = (key: string) => accepted(packages, key, 'a Debian package', isDebianPackageName, problems);
  const flagNames = (key: string) => accepted(use, key, 'a flag name such as http2', isFlagName, problems);
  const definition: RepositoryDefinition = {
    name: name ?? '',
    directory,
    debian: {
      suites,
      imageSuites: imageSuites.length === 0 ? suites : imageSuites,
      components: accepted(debian, 'components', 'a component such as main', isSuiteName, problems),
      toolchain: debianNames('toolchain'),
      minimal: debianNames('minimal'),
      runtime: debianNames('runtime'),
      tools: debianNames('tools'),
    },
    use: { with: flagNames('with'), without: flagNames('without') },
  };
  problems.throwAll();
  return definition;
}

function accepted(
  map: YamlMap | undefined,
  key: string,
  expected: string,
  accepts: (text: string) => boolean,
  problems: Problems,
): readonly string[] {
  const check = { label: key, problems };
  return scalarsAt(map, key).flatMap((node) => acceptText({ node, text: node.text }, expected, accepts, check) ?? []);
}
