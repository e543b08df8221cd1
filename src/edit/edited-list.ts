import { createDocumentText } from '../document/document-text.ts';
import { parseYaml } from '../document/parse-yaml.ts';
import { type DocumentText, isNull, type YamlList, type YamlNode } from '../document/yaml-node.ts';
import { BuilditError } from '../model/errors.ts';

/** Parses a file whose root is a list. Throws as `parseYaml` does, and where it is none. */
export function parseList(document: DocumentText): YamlList {
  const root = parseYaml(document, 'definition-invalid');
  if (root.kind === 'list') return root;
  throw new BuilditError(
    'definition-invalid',
    `Cannot change "${document.name}": expected a list of steps, found none`,
    {
      hint: 'a container.yaml is a list: each step begins with "- "',
    },
  );
}

/**
 * Answers the edited text after making sure that its items are exactly the expected ones. What a person wrote can be
 * laid out in ways that no edit of lines foresees; then nothing is changed.
 */
export function requireItems(before: DocumentText, text: string, expected: readonly string[]): string {
  const found = itemsIn(createDocumentText(before.name, before.path, text));
  if (found !== undefined && found.length === expected.length && found.every((item, at) => item === expected[at])) {
    return text;
  }
  throw new BuilditError(
    'input-invalid',
    `Cannot change "${before.name}": expected a layout in which a step can be added and removed, found another`,
    { hint: 'change it by hand' },
  );
}

function itemsIn(document: DocumentText): readonly string[] | undefined {
  try {
    return parseList(document).items.map(meaningOf);
  } catch (error) {
    if (error instanceof BuilditError) return undefined;
    throw error;
  }
}

/** What a node says, however it is written. */
export function meaningOf(node: YamlNode): string {
  return JSON.stringify(meaning(node));
}

function meaning(node: YamlNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return isNull(node) ? null : node.text;
    case 'list':
      return node.items.map(meaning);
    case 'map':
      return { map: node.members.map(({ name, value }) => [name, meaning(value)]) };
  }
}
