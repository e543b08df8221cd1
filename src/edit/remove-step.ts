import { type DocumentText, memberOf } from '../document/yaml-node.ts';
import { meaningOf, parseList, requireItems } from './edited-list.ts';
import {
  isBlankLine,
  isOuterComment,
  type LocatedSteps,
  lineEnd,
  locateSteps,
  type StepLines,
} from './locate-steps.ts';

/**
 * Removes a package step, with what is said of it alone: comments in its lines, and those directly above it. What stands
 * above the first package of the file, above several packages or apart from the step may be about more than this one and
 * stays. What separated the step from the one before goes too; every other byte stays. Answers the new text.
 */
export function removeStep(document: DocumentText, index: number): string {
  const root = parseList(document);
  const located = locateSteps(root);
  const [from, to] = rangeOf(located, index);
  const text = document.text.slice(0, from) + document.text.slice(to);
  return requireItems(document, text, root.items.map(meaningOf).toSpliced(index, 1));
}

function rangeOf(located: LocatedSteps, index: number): readonly [from: number, to: number] {
  const { document, steps } = located;
  const step = steps[index];
  if (step === undefined) throw new RangeError(`Cannot remove step ${index}: there are ${steps.length}`);
  if (index === 0) {
    let next = step.last + 1;
    while (next < document.lineStarts.length && isBlankLine(document, next)) next += 1;
    return [document.lineStarts[step.first]!, document.lineStarts[next] ?? document.text.length];
  }
  let above = firstLine(located, index) - 1;
  while (above > 0 && isBlankLine(document, above)) above -= 1;
  return [lineEnd(document, above), lineEnd(document, step.last)];
}

/** The line of the dash, or of the comment above it that belongs to this step. */
function firstLine({ document, column, steps }: LocatedSteps, index: number): number {
  const { first, last } = steps[index]!;
  let line = first;
  while (line > steps[index - 1]!.last + 1 && isOuterComment(document, line - 1, column)) line -= 1;
  const next = steps[index + 1];
  const isOfSeveral = next?.first === last + 1 && isPackage(next);
  const isFirst = !steps.slice(0, index).some(isPackage);
  return isOfSeveral || isFirst ? first : line;
}

function isPackage({ node }: StepLines): boolean {
  return node.kind === 'map' && memberOf(node, 'package') !== undefined;
}
