import { VanishedPackages } from '../debian/fetch-debs.ts';
import { planRun, type Run } from './prepare-run.ts';
import { replaceVanished } from './replace-vanished.ts';

/**
 * Runs work that fetches Debian packages. Those that are nowhere any more are replaced, said loudly, and the work is done
 * again with a new plan; a lock that may not change is the end of it.
 */
export async function withPresentPackages<Result>(run: Run, work: (run: Run) => Promise<Result>): Promise<Result> {
  const replaced = new Set<string>();
  for (let current = run; ; ) {
    try {
      return await work(current);
    } catch (error) {
      if (!(error instanceof VanishedPackages) || run.options.locked) throw error;
      const again = error.packages.some(({ sha256 }) => replaced.has(sha256));
      if (again) throw error;
      for (const { sha256 } of error.packages) replaced.add(sha256);
      current = planRun({ ...current, lock: await replaceVanished(current, error) });
    }
  }
}
