import { mapAt, mapsAt, scalarAt, scalarsAt, textAt } from '../document/fields.ts';
import { parseYaml } from '../document/parse-yaml.ts';
import type { Problems } from '../document/problems.ts';
import { readDocument } from '../document/read-document.ts';
import { validateSchema } from '../document/validate-schema.ts';
import type { DocumentText, YamlMap, YamlNode, YamlScalar } from '../document/yaml-node.ts';
import { append } from '../model/append.ts';
import {
  type ContainerDefinition,
  type ContainerPackage,
  DEFAULT_BASE,
  type FileStep,
  type ImageDefinition,
} from '../model/container.ts';
import { isDebianPackageName, isDebianVersion } from '../model/names.ts';
import type { Platform } from '../model/platform.ts';
import type { TestDefinition } from '../model/test-definition.ts';
import type { Witness } from '../system/witness.ts';
import { acceptInsidePath, acceptText, refuseText } from './checked-text.ts';
import { type ContainerReading, type PlacedPackage, renderedText } from './container-reading.ts';
import { FILE_STEPS, readFileStep } from './read-file-step.ts';
import { readImageStep } from './read-image-step.ts';
import { readTest } from './read-test.ts';
import { readVariables, startVariables } from './read-variables.ts';
import { parseWantedVersion } from './wanted-version.ts';

/** Words of container.yaml that this version refuses by name. */
const UNSUPPORTED = {
  '*': ['include', 'policy', 'publish', 'remove', 'run', 'update'],
  '*.package.type': ['binhost', 'npm'],
} as const;

/** What container.yaml says, with the places of what refers to packages. */
export interface ReadContainer {
  readonly container: Omit<ContainerDefinition, 'packages' | 'base'>;
  readonly packages: readonly PlacedPackage[];
  /** The text of `base:`, the default where there is none; `node` where it can be complained about. */
  readonly base: { readonly text: string | false; readonly node: YamlNode };
}

export interface ReadContainerOptions {
  readonly platform: Platform;
  readonly problems: Problems;
  readonly witness: Witness | undefined;
  /** What to read in place of the file: an edit is read before it is written. */
  readonly document?: DocumentText | undefined;
}

/** Reads and checks `directory/container.yaml`. Mistakes go to the problems; undefined when it is no list at all. */
export async function readContainer(
  directory: string,
  { platform, problems, witness, document }: ReadContainerOptions,
): Promise<ReadContainer | undefined> {
  const root =
    document === undefined
      ? await readDocument(directory, 'container.yaml', { code: 'definition-invalid', witness })
      : parseYaml(document, 'definition-invalid');
  await validateSchema('container', root, problems, UNSUPPORTED);
  if (root.kind !== 'list') return undefined;
  const variables = startVariables(platform);
  const reading: ContainerReading = { directory, values: variables.values, problems, witness };
  const packages: PlacedPackage[] = [];
  const steps: FileStep[] = [];
  const images: ImageDefinition[] = [];
  const tests: TestDefinition[] = [];
  const bases: YamlScalar[] = [];
  for (const item of root.items) {
    const step = item.kind === 'map' ? item : undefined;
    const vars = mapAt(step, 'vars');
    if (vars !== undefined) readVariables(vars, variables, platform, problems);
    const packageMap = mapAt(step, 'package');
    const packaged = packageMap && readPackage(packageMap, reading);
    if (packaged !== undefined) packages.push({ package: packaged, node: packageMap! });
    for (const kind of FILE_STEPS) {
      const map = mapAt(step, kind);
      const fileStep = map && (await readFileStep(kind, map, reading));
      if (fileStep !== undefined) steps.push(fileStep);
    }
    const imageMap = mapAt(step, 'image');
    const image = imageMap && readImageStep(imageMap, reading);
    if (image !== undefined) images.push(image);
    const rendered = (node: YamlScalar | undefined) => renderedText(reading, node);
    append(
      tests,
      mapsAt(step, 'test').flatMap((map) => readTest(map, { problems, rendered }) ?? []),
    );
    const base = scalarAt(step, 'base');
    if (base !== undefined) bases.push(base);
  }
  checkHasImage(root.items, root, problems);
  for (const name of ['name', 'version']) {
    if (variables.nodes.has(name)) continue;
    problems.add(root.items[0] ?? root, `Cannot read "container.yaml": expected the variable "${name}", found none`, {
      hint: `- vars: {name: …, version: …}`,
    });
  }
  const { values } = variables;
  return {
    container: {
      directory,
      author: values.get('author'),
      name: values.get('name') ?? '',
      version: values.get('version') ?? '',
      platform,
      variables: Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1))),
      steps,
      images,
      ...(tests.length === 0 ? {} : { tests }),
    },
    packages,
    base: readBase(bases, root, reading),
  };
}

function readPackage(map: YamlMap, reading: ContainerReading): ContainerPackage | undefined {
  const text = (key: string) => renderedText(reading, scalarAt(map, key));
  const check = (key: string) => ({ label: `package.${key}`, problems: reading.problems });
  switch (textAt(map, 'type')) {
    case 'embedded': {
      const written = text('path');
      const path = acceptInsidePath(written, check('path'));
      if (path === undefined) return undefined;
      return {
        kind: 'embedded',
        shownPath: written!.text.replace(/\/$/, ''),
        directory: `${reading.directory}/${path}`,
        subpackages: namesAt(map, 'subpackages'),
      };
    }
    case 'repository': {
      const name = text('name')?.text;
      const expected = 'a version such as 1.22.1, or a range such as ~1.26';
      const isWanted = (version: string) => parseWantedVersion(version) !== undefined;
      const version = acceptText(text('version'), expected, isWanted, check('version'));
      const use = mapAt(map, 'use');
      if (name === undefined) return undefined;
      return {
        kind: 'repository',
        name,
        version,
        with: namesAt(use, 'with'),
        without: namesAt(use, 'without'),
        subpackages: namesAt(map, 'subpackages'),
      };
    }
    case 'debian': {
      const name = acceptText(text('name'), 'a Debian package such as libc6', isDebianPackageName, check('name'));
      const expected = 'a Debian version such as 2.36-9+deb12u14';
      const version = acceptText(text('version'), expected, isDebianVersion, check('version'));
      return name === undefined ? undefined : { kind: 'debian', name, version };
    }
    default:
      return undefined;
  }
}

function namesAt(map: YamlMap | undefined, key: string): readonly string[] {
  return scalarsAt(map, key).map(({ text }) => text);
}

function readBase(bases: readonly YamlScalar[], root: YamlNode, reading: ContainerReading): ReadContainer['base'] {
  const [node, second] = bases;
  if (second !== undefined) refuseText({ node: second, text: second.text }, 'one base', { label: 'base', ...reading });
  if (node === undefined) return { text: DEFAULT_BASE, node: root };
  const text = renderedText(reading, node)?.text ?? DEFAULT_BASE;
  return { text: text === 'none' ? false : text, node };
}

/** Judged by the steps themselves: an image that is wrong was complained about already. */
function checkHasImage(items: readonly YamlNode[], root: YamlNode, problems: Problems): void {
  const has = items.some((item) => item.kind === 'map' && item.members.some(({ name }) => name === 'image'));
  if (has) return;
  problems.add(root, 'Cannot read "container.yaml": expected at least one step "image", found none', {
    hint: 'the shortest is "- image: {type: oci}"',
  });
}
