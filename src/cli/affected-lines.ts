import { printable } from '../model/names.ts';
import type { AffectedContainer, AffectedStep } from '../pipeline/find-affected.ts';
import { shownPath } from './render-error.ts';
import { textTable } from './text-table.ts';

const MOST_NAMED = 4;

export function isAffected({ steps, image }: AffectedContainer): boolean {
  return steps.length > 0 || image.length > 0;
}

/** What is touched in each container, and whether it would be built; containers that nothing touches are counted. */
export function affectedLines(containers: readonly AffectedContainer[], cwd: string, force: boolean): string[] {
  const affected = containers.filter(isAffected);
  const lines = affected.flatMap(({ directory, steps, image }) => [
    `${printable(shownPath(directory, cwd))}:`,
    ...stepLines(steps, force).map((line) => `  ${line}`),
    image.length === 0 ? '  the images stay as they are' : `  images, because of ${named(image)}`,
  ]);
  const packages = new Map(affected.flatMap(({ steps }) => steps.map((step) => [step.hash, step])));
  const builds = [...packages.values()].filter((step) => isBuilt(step, force)).length;
  const containerCount = `${affected.length} of ${containers.length} containers`;
  return [...lines, `${packages.size} packages affected in ${containerCount}: ${builds} to build`];
}

function stepLines(steps: readonly AffectedStep[], force: boolean): string[] {
  if (steps.length === 0) return [];
  const rows = steps.map((step) => [
    isBuilt(step, force) ? 'build' : 'found',
    `${step.name}-${step.version}`,
    becauseText(step),
  ]);
  return textTable([{ title: 'STATE' }, { title: 'PACKAGE' }, { title: 'WHY' }], rows);
}

/** Whether a package would be built: it is not there, or is built although it is. */
export function isBuilt({ state }: AffectedStep, force: boolean): boolean {
  return force || state === 'build';
}

function becauseText({ because }: AffectedStep): string {
  switch (because.kind) {
    case 'itself':
      return 'affected itself';
    case 'built-with':
      return `is built with ${printable(because.name)}`;
    case 'runs-with':
      return `runs with ${printable(because.name)}`;
  }
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).map(printable).join(', ');
  return names.length > MOST_NAMED ? `${shown} and ${names.length - MOST_NAMED} more` : shown;
}
