import type { RootMember } from '../build/compose-root.ts';
import type { DiffId } from '../model/layer.ts';
import type { ConvertStep } from '../model/plan.ts';
import { convertSteps } from './convert-steps.ts';
import type { Run } from './prepare-run.ts';

/** Debian packages as members of a root. Where the store loses one, it is converted again. */
export async function debianMembers(run: Run, steps: readonly ConvertStep[]): Promise<ReadonlyMap<DiffId, RootMember>> {
  const records = await convertSteps(run, steps);
  return new Map(
    steps.map((step) => {
      const layer = records.get(step.hash)!.outputs.main!;
      return [layer.diffId, { label: `debian/${step.name}`, layer, remake: remaking(run, step) }];
    }),
  );
}

/** Converts a package again, from its archive in the store or fetched anew. */
export function remaking(run: Run, step: ConvertStep): () => Promise<void> {
  return async () => void (await convertSteps(run, [step]));
}
