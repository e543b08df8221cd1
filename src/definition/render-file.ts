import { Problems } from '../document/problems.ts';
import type { DocumentText, YamlScalar } from '../document/yaml-node.ts';
import { renderTemplate } from './template.ts';

/** Replaces each `{{ name }}` of a file that `sync` copies with `template`; mistakes are told where they stand in it. */
export function renderFile(text: string, variables: Readonly<Record<string, string>>, path: string): string {
  const problems = new Problems('definition-invalid');
  const document: DocumentText = { name: path, path, text, lineStarts: lineStarts(text) };
  const node: YamlScalar = { kind: 'scalar', style: 'block', text, value: text, document, start: 0, end: text.length };
  const rendered = renderTemplate(node, { values: new Map(Object.entries(variables)), problems });
  problems.throwAll();
  return rendered ?? text;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
