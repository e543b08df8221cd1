import type { DocumentText } from './yaml-node.ts';

/** A text as a document: `name` is how messages call it, `path` where it lies or will lie. */
export function createDocumentText(name: string, path: string, text: string): DocumentText {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  return { name, path, text, lineStarts };
}
