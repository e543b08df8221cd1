import { fetchDebs } from '../debian/fetch-debs.ts';
import type { BuildOptions } from './contract.ts';
import { prepareRun } from './prepare-run.ts';
import { closureSteps, fetchInputs, rootDebian } from './realise-run.ts';

/** Fetches everything a container could need, so that it builds without network: sources, patches, Debian packages. */
export async function fetchEverything(options: BuildOptions): Promise<{ fetched: number; bytes: number }> {
  let fetched = 0;
  let bytes = 0;
  const { context, config } = options;
  const counted = new Map<string, number>();
  const emit: typeof context.emit = (event) => {
    if (event.kind === 'task-progress') counted.set(event.task, event.done);
    if (event.kind === 'task-finished' && counted.has(event.task)) {
      fetched += 1;
      bytes += counted.get(event.task)!;
    }
    context.emit(event);
  };
  const run = await prepareRun({ ...options, context: { ...context, emit } });
  const tools = run.definitions.repositories.flatMap((repository) => {
    const debian = rootDebian(run, repository);
    return closureSteps([...repository.debian.minimal, ...repository.debian.tools], debian);
  });
  const pins = [...run.plan.conversions.values(), ...tools].map(({ pin }) => pin);
  await fetchDebs(run.store, pins, { config, context: run.options.context });
  await fetchInputs(run, run.plan.steps);
  return { fetched, bytes };
}
