import { VanishedPackages } from '../debian/fetch-debs.ts';
import { BuilditError, BuilditErrors } from '../model/errors.ts';
import { planRun, type Run } from './prepare-run.ts';
import { replaceVanished } from './replace-vanished.ts';

/** How often work is done again because the store lost something: each time, what was damaged has been removed. */
const MOST_REPAIRS = 3;

/**
 * Runs work that fetches Debian packages. Those that are nowhere any more are replaced, said loudly, and the work is done
 * again with a new plan; a lock that may not change is the end of it. So is work that met something damaged in the store,
 * which is made or fetched again by then.
 */
export async function withPresentPackages<Result>(run: Run, work: (run: Run) => Promise<Result>): Promise<Result> {
  const replaced = new Set<string>();
  let repairs = 0;
  for (let current = run; ; ) {
    try {
      return await work(current);
    } catch (error) {
      if (isDamagedStore(error) && repairs < MOST_REPAIRS) {
        repairs += 1;
        tellRepair(run, error);
        continue;
      }
      if (!(error instanceof VanishedPackages) || run.options.locked) throw error;
      const again = error.packages.some(({ sha256 }) => replaced.has(sha256));
      if (again) throw error;
      for (const { sha256 } of error.packages) replaced.add(sha256);
      current = planRun({ ...current, lock: await replaceVanished(current, error) });
    }
  }
}

function isDamagedStore(error: unknown): error is BuilditError | BuilditErrors {
  if (error instanceof BuilditErrors) return error.errors.some(isDamagedStore);
  return error instanceof BuilditError && error.code === 'store-damaged';
}

function tellRepair({ options }: Run, error: BuilditError | BuilditErrors): void {
  const damaged = error instanceof BuilditErrors ? error.errors.find(isDamagedStore) : error;
  options.context.emit({ kind: 'warning', text: `${damaged?.message ?? error.message}; trying again without it` });
}
