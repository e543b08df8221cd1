import { type NeedProvider, undeclaredNeeds } from '../build/check-needs.ts';
import type { Records } from '../build/realise-plan.ts';
import { append } from '../model/append.ts';
import { type BuilditError, throwCollected } from '../model/errors.ts';
import type { Hash } from '../model/package-hash.ts';
import { rootElf } from '../model/record.ts';
import type { Run } from './prepare-run.ts';
import { writtenDependencies } from './realise-run.ts';

/**
 * Throws where a package of an image lacks a library that it was built with and does not declare. A build is refused for
 * that; what was found may be from a time when the recipe declared it, since a HASH does not tell `build` from `link`.
 */
export async function refuseUndeclared(
  { plan, sharing }: Run,
  wanted: readonly Hash[],
  records: Records,
): Promise<void> {
  const isWanted = new Set(wanted);
  const present = wanted.flatMap((hash) => records.get(hash) ?? []);
  const declared = present.map((record): NeedProvider => ({ name: record.name, elf: rootElf(record) }));
  const errors: BuilditError[] = [];
  for (const hash of wanted) {
    const [step, record] = [plan.stepsByHash.get(hash), records.get(hash)];
    if (step?.kind !== 'build' || step.package.outputs === 'debs' || record === undefined) continue;
    const isOther = (member: Hash) => plan.stepsByHash.get(member)?.kind === 'build' && !isWanted.has(member);
    const found = await Promise.all(step.root.filter(isOther).map((member) => sharing.cache.find(member)));
    const undeclared = found.flatMap((lookup): NeedProvider[] =>
      lookup.kind === 'hit' ? [{ name: lookup.record.name, elf: rootElf(lookup.record) }] : [],
    );
    const needs = { declared, undeclared, ...writtenDependencies(step.package) };
    append(errors, undeclaredNeeds(step.name, rootElf(record), needs));
  }
  throwCollected(errors);
}
