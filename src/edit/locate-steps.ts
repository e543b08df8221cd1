import { type DocumentText, positionAt, type YamlList, type YamlNode } from '../document/yaml-node.ts';
import { BuilditError } from '../model/errors.ts';

/** One step of container.yaml and the lines it takes: from the one with its dash to the last that belongs to it. */
export interface StepLines {
  readonly node: YamlNode;
  /** Index of a line, the first is 0. */
  readonly first: number;
  readonly last: number;
}

export interface LocatedSteps {
  readonly document: DocumentText;
  /** Column of the dashes, the first is 0. */
  readonly column: number;
  readonly steps: readonly StepLines[];
}

/**
 * Finds the lines of each step of a list whose items begin with a dash. Comments that are indented deeper than the dash
 * belong to the step above them, others to nothing. Refuses a list in brackets.
 */
export function locateSteps(root: YamlList): LocatedSteps {
  const { document } = root;
  const { text } = document;
  if (text[root.start] !== '-') {
    throw new BuilditError(
      'input-invalid',
      `Cannot change "${document.name}": expected steps that begin with "- ", found a list in brackets`,
      {
        position: positionAt(document, root.start),
        hint: 'write each step on a line of its own, or change it by hand',
      },
    );
  }
  const column = columnOf(document, root.start);
  const firsts = root.items.map((item) => dashLine(document, item, column));
  const steps = root.items.map((node, index) => ({
    node,
    first: firsts[index]!,
    last: lastLine(document, (firsts[index + 1] ?? document.lineStarts.length) - 1, column),
  }));
  return { document, column, steps };
}

export function lineIndexOf({ lineStarts }: DocumentText, offset: number): number {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lineStarts[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function columnOf(document: DocumentText, offset: number): number {
  return offset - document.lineStarts[lineIndexOf(document, offset)]!;
}

/** A line without what ends it. */
export function lineText(document: DocumentText, index: number): string {
  return document.text.slice(document.lineStarts[index]!, lineEnd(document, index));
}

/** Offset behind the last character of a line, before what ends it. */
export function lineEnd({ text, lineStarts }: DocumentText, index: number): number {
  const next = lineStarts[index + 1];
  if (next === undefined) return text.length;
  return text[next - 2] === '\r' ? next - 2 : next - 1;
}

export function isBlankLine(document: DocumentText, index: number): boolean {
  return lineText(document, index).trim() === '';
}

/** Whether a line is a comment and nothing else, not indented deeper than the column. */
export function isOuterComment(document: DocumentText, index: number, column: number): boolean {
  const [, spaces] = /^( *)#/.exec(lineText(document, index)) ?? [];
  return spaces !== undefined && spaces.length <= column;
}

/** Whatever stands below a step is indented deeper than its dash, so the nearest dash in its column is its own. */
function dashLine(document: DocumentText, item: YamlNode, column: number): number {
  for (let line = lineIndexOf(document, item.start); line > 0; line -= 1) {
    if (isDash(document, line, column)) return line;
  }
  return 0;
}

function isDash(document: DocumentText, line: number, column: number): boolean {
  const text = lineText(document, line);
  return text.slice(0, column).trim() === '' && /^-(?:\s|$)/.test(text.slice(column));
}

function lastLine(document: DocumentText, from: number, column: number): number {
  let line = from;
  while (
    line > 0 &&
    (isBlankLine(document, line) ||
      isOuterComment(document, line, column) ||
      /^\.\.\.(?:\s|$)/.test(lineText(document, line)))
  )
    line -= 1;
  return line;
}
