import { renderFile } from '../definition/render-file.ts';
import { readSyncSource } from '../image/read-sync-source.ts';
import type { FileStep } from '../model/container.ts';
import type { ResolvedPackage } from '../model/package.ts';
import { memberName } from '../plan/compare-plans.ts';
import type { Run } from './prepare-run.ts';

/** What the images of a container are made of: a name for each part, and a text that is another when the part is. */
export type ImageFacts = ReadonlyMap<string, string>;

/**
 * Packages by their HASHes, and what is said about them outside of those; the container's own steps with the content of
 * the files they copy; the images.
 */
export async function imageFacts({ plan, definitions }: Pick<Run, 'plan' | 'definitions'>): Promise<ImageFacts> {
  const { container } = definitions;
  const facts = new Map<string, string>();
  const { author, name, version, base, variables } = container;
  facts.set('name, version and base', JSON.stringify([author, name, version, base, variables]));
  for (const hash of plan.imageCandidates) {
    const step = plan.stepsByHash.get(hash)!;
    facts.set(memberName(step), step.kind === 'build' ? `${hash} ${outsideHash(step.package)}` : hash);
  }
  for (const step of container.steps) addNumbered(facts, stepName(step), await stepText(step, container));
  for (const { position: _, ...image } of container.images) {
    addNumbered(facts, `image ${image.kind}`, JSON.stringify(image));
  }
  return facts;
}

/** Names of the parts that differ, in the order of what is there now, then what is gone. */
export function changedFacts(before: ImageFacts, after: ImageFacts): readonly string[] {
  const names = [...new Set([...after.keys(), ...before.keys()])];
  return names.filter((name) => before.get(name) !== after.get(name));
}

/** Of what a definition says beside its HASH: what images take from there. */
function outsideHash({ users, replaces, dependencies, license }: ResolvedPackage): string {
  return JSON.stringify([users, replaces, dependencies.run, license]);
}

function stepName(step: FileStep): string {
  return `${step.kind} ${step.kind === 'user' ? step.name : step.dest}`;
}

async function stepText({ position, ...step }: FileStep, container: Run['definitions']['container']): Promise<string> {
  if (step.kind !== 'sync') return JSON.stringify(step);
  const { source: _, ...rest } = step;
  const render = (text: string, path: string) => renderFile(text, container.variables, path);
  const entries = await readSyncSource({ ...step, position }, container.directory, { render });
  const content = entries.map((entry) => {
    if (entry.type === 'directory') return [entry.path];
    if (entry.type === 'symlink') return [entry.path, entry.target];
    return [entry.path, entry.executable, entry.sha256];
  });
  return JSON.stringify([rest, content]);
}

/** The second of a kind is `file /etc/motd (2)`. */
function addNumbered(facts: Map<string, string>, name: string, text: string): void {
  let shown = name;
  for (let number = 2; facts.has(shown); number += 1) shown = `${name} (${number})`;
  facts.set(shown, text);
}
