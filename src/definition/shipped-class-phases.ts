import { mapAt, textAt } from '../document/fields.ts';
import { Problems } from '../document/problems.ts';
import { PHASE_NAMES, type PhaseName } from '../model/package.ts';
import { classNames, readShippedClass, SHIPPED_CLASSES } from './class-library.ts';

/** The phases of every class that comes with buildit, by its name, as its file has them: templates are not rendered. */
export async function shippedClassPhases(): Promise<
  Readonly<Record<string, Readonly<Partial<Record<PhaseName, string>>>>>
> {
  const problems = new Problems('definition-invalid');
  const classes: Record<string, Partial<Record<PhaseName, string>>> = {};
  for (const name of await classNames(SHIPPED_CLASSES)) {
    const phases = mapAt(await readShippedClass(name, problems), 'phases');
    const texts = PHASE_NAMES.map((phase) => [phase, textAt(phases, phase)?.trimEnd()] as const);
    classes[name] = Object.fromEntries(texts.filter(([, text]) => text !== undefined));
  }
  problems.throwAll();
  return classes;
}
