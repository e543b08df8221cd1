import { type DocumentText, memberOf, type YamlMap } from '../document/yaml-node.ts';
import { meaningOf, parseList, requireItems } from './edited-list.ts';
import { isBlankLine, type LocatedSteps, lineEnd, locateSteps, type StepLines } from './locate-steps.ts';
import { layoutOf, type PackageStep, type StepLayout, stepFields, stepLines, USUAL_LAYOUT } from './package-step.ts';

/**
 * Adds package steps behind the last one, or behind the variables where there is none, in the layout of what is there.
 * Every other byte stays. Answers the new text.
 */
export function addPackageSteps(document: DocumentText, added: readonly PackageStep[]): string {
  const root = parseList(document);
  const located = locateSteps(root);
  const anchor = anchorOf(located.steps);
  if (anchor === undefined || added.length === 0) return document.text;
  const index = located.steps.indexOf(anchor);
  const layout = layoutFor(anchor, located.column);
  const separator = isSpaced(located, index) ? [''] : [];
  const lines = added.flatMap((step) => [...separator, ...stepLines(step, layout)]);
  const eol = document.text.includes('\r\n') ? '\r\n' : '\n';
  const at = lineEnd(document, anchor.last);
  const text = document.text.slice(0, at) + lines.map((line) => eol + line).join('') + document.text.slice(at);
  const meanings = root.items.map(meaningOf);
  return requireItems(document, text, meanings.toSpliced(index + 1, 0, ...added.map(stepMeaning)));
}

function anchorOf(steps: readonly StepLines[]): StepLines | undefined {
  const last = (...names: string[]) => steps.findLast(({ node }) => names.some((name) => hasKey(node, name)));
  return last('package') ?? last('vars', 'include', 'base') ?? steps.at(-1);
}

function hasKey(node: StepLines['node'], name: string): boolean {
  return node.kind === 'map' && memberOf(node, name) !== undefined;
}

function layoutFor({ node }: StepLines, column: number): StepLayout {
  return hasKey(node, 'package') ? layoutOf(node as YamlMap, column) : { ...USUAL_LAYOUT, column };
}

/** Whether a blank line stands between steps here: between packages where there are two, else around the place. */
function isSpaced({ document, steps }: LocatedSteps, index: number): boolean {
  const between = (at: number) => {
    const [above, below] = [steps[at], steps[at + 1]];
    if (above === undefined || below === undefined) return undefined;
    const lines = Array.from({ length: below.first - above.last - 1 }, (_, offset) => above.last + 1 + offset);
    return lines.some((line) => isBlankLine(document, line));
  };
  const isBehindPackage = index > 0 && hasKey(steps[index - 1]!.node, 'package');
  return (isBehindPackage ? between(index - 1) : undefined) ?? between(index) ?? between(index - 1) ?? true;
}

function stepMeaning(step: PackageStep): string {
  return JSON.stringify({ map: [['package', { map: stepFields(step) }]] });
}
