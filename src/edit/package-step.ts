import type { YamlMap } from '../document/yaml-node.ts';
import { memberOf } from '../document/yaml-node.ts';
import { columnOf, lineIndexOf } from './locate-steps.ts';
import { yamlText } from './yaml-text.ts';

/** A step `package` as it is to be written: what it says, in the order of the founding format. */
export type PackageStep =
  | { readonly type: 'embedded'; readonly path: string }
  | { readonly type: 'repository' | 'debian'; readonly name: string; readonly version?: string | undefined };

/** How steps are laid out in a file. */
export interface StepLayout {
  /** Spaces before the dash. */
  readonly column: number;
  /** Spaces between the dash and `package`. */
  readonly gap: number;
  /** Spaces before each key of the package beyond those of `package`; undefined: all on one line, in braces. */
  readonly indent: number | undefined;
  /** Spaces inside the braces. */
  readonly padding: string;
}

export const USUAL_LAYOUT: Omit<StepLayout, 'column'> = { gap: 1, indent: 2, padding: '' };

export function stepFields(step: PackageStep): readonly (readonly [key: string, value: string])[] {
  return Object.entries(step).filter((entry): entry is [string, string] => entry[1] !== undefined);
}

/** The lines of a step, without what ends them. */
export function stepLines(step: PackageStep, { column, gap, indent, padding }: StepLayout): string[] {
  const head = `${' '.repeat(column)}-${' '.repeat(gap)}package:`;
  if (indent === undefined) {
    const fields = stepFields(step).map(([key, value]) => `${key}: ${yamlText(value, { flow: true })}`);
    return [`${head} {${padding}${fields.join(', ')}${padding}}`];
  }
  const before = ' '.repeat(column + 1 + gap + indent);
  return [head, ...stepFields(step).map(([key, value]) => `${before}${key}: ${yamlText(value)}`)];
}

/** The layout of a package step that is there already; what cannot be told from it is as usual. */
export function layoutOf(step: YamlMap, column: number): StepLayout {
  const { document } = step;
  const value = memberOf(step, 'package')!.value;
  const isBlockStep = document.text[step.start] !== '{';
  const gap = isBlockStep ? columnOf(document, step.start) - column - 1 : 1;
  const usual = { ...USUAL_LAYOUT, column, gap: Math.max(1, gap) };
  if (document.text[value.start] === '{') {
    const padding = document.text[value.start + 1] === ' ' ? ' ' : '';
    return { ...usual, indent: undefined, padding };
  }
  const isBelow = lineIndexOf(document, value.start) > lineIndexOf(document, step.start);
  const indent = columnOf(document, value.start) - columnOf(document, step.start);
  return { ...usual, indent: isBelow && indent > 0 ? indent : USUAL_LAYOUT.indent };
}
