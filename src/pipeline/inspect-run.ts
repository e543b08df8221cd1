import { type LogNote, readLogNote } from '../build/build-log.ts';
import { openShell, SHELL_PHASES } from '../build/open-shell.ts';
import { didYouMean } from '../document/closest-name.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { withCollectionLock } from '../store/collection-lock.ts';
import { openBlob } from '../store/read-blob.ts';
import type { BuildOptions } from './contract.ts';
import { findStep } from './find-step.ts';
import { prepareRun } from './prepare-run.ts';
import { withPresentPackages } from './present-packages.ts';
import { prepareSandbox, shownName } from './realise-run.ts';
import { openShellOfTest } from './test-again.ts';

/** Opens a shell in exactly the sandbox of a package's build; answers its exit code. */
export async function openPackageShell(
  options: BuildOptions,
  what: {
    readonly package: string;
    readonly phase: string | undefined;
    readonly failed: boolean;
    readonly test: boolean;
  },
): Promise<number> {
  const phase = SHELL_PHASES.find((known) => known === what.phase);
  if (what.phase !== undefined && phase === undefined) {
    throw new BuilditError('usage', `Cannot stop before "${printable(what.phase)}": expected a phase`, {
      hint: didYouMean(what.phase, SHELL_PHASES) ?? `one of ${SHELL_PHASES.join(', ')}`,
    });
  }
  const prepared = await prepareRun(options);
  return withCollectionLock(prepared.store, 'shared', async () => {
    if (what.test)
      return withPresentPackages(prepared, (run) => openShellOfTest(run, findStep(run.plan, what.package)));
    const { name, sandbox, request } = await withPresentPackages(prepared, async (run) => {
      const step = findStep(run.plan, what.package);
      return { name: shownName(run, step.package), ...(await prepareSandbox(run, step)) };
    });
    // The shell may stay open for hours, and needs no connection.
    await prepared.sharing.close();
    const { signal, emit } = options.context;
    const onPhase = (phaseName: string) => emit({ kind: 'notice', text: `${name}: ${phaseName}` });
    return openShell(sandbox, request, {
      phase,
      failed: what.failed,
      signal,
      shownName: name,
      onPhase,
    });
  });
}

/** The log of a package's last build: of its present HASH, else of the last one under its name. */
export async function readPackageLog(
  options: BuildOptions,
  packageName: string | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const run = await prepareRun(options);
  const steps = packageName === undefined ? run.plan.steps : [findStep(run.plan, packageName)];
  const notes: LogNote[] = [];
  for (const { hash, name } of steps) {
    const note = (await readLogNote(run.store, hash)) ?? (await readLogNote(run.store, name));
    if (note !== undefined) notes.push(note);
  }
  const latest = notes.sort((a, b) => (a.finishedAt < b.finishedAt ? -1 : 1)).at(-1);
  if (latest === undefined) {
    const shown = packageName === undefined ? run.definitions.container.name : packageName;
    throw new BuilditError(
      'file-missing',
      `Cannot show the log of "${printable(shown)}": expected a build on this machine, found none`,
      {
        hint: 'a package that was never built here has no log',
      },
    );
  }
  return openBlob(run.store, latest.log);
}
