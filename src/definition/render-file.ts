import { createDocumentText } from '../document/document-text.ts';
import { Problems } from '../document/problems.ts';
import type { YamlScalar } from '../document/yaml-node.ts';
import { renderTemplate } from './template.ts';

/** Replaces each `{{ name }}` of a file that `sync` copies with `template`; mistakes are told where they stand in it. */
export function renderFile(text: string, variables: Readonly<Record<string, string>>, path: string): string {
  const problems = new Problems('definition-invalid');
  const document = createDocumentText(path, path, text);
  const node: YamlScalar = { kind: 'scalar', style: 'block', text, value: text, document, start: 0, end: text.length };
  const rendered = renderTemplate(node, { values: new Map(Object.entries(variables)), problems });
  problems.throwAll();
  return rendered ?? text;
}
