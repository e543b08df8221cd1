import { openTestShell } from '../build/open-test-shell.ts';
import { assessPlan, type Records } from '../build/realise-plan.ts';
import { append } from '../model/append.ts';
import { containerTitle } from '../model/container.ts';
import { BuilditError, throwCollected } from '../model/errors.ts';
import { type Hash, hashAsUuid } from '../model/package-hash.ts';
import type { BuildStep } from '../model/plan.ts';
import { withCollectionLock } from '../store/collection-lock.ts';
import { contentOf, realisedFor, selectForImage, wantedForImage } from './assemble-run.ts';
import type { BuildOptions } from './contract.ts';
import { readFailedRecord } from './failed-tests.ts';
import { findStep } from './find-step.ts';
import { prepareRun, type Run } from './prepare-run.ts';
import { withPresentPackages } from './present-packages.ts';
import { realiseRun } from './realise-run.ts';
import { inWorkspace, neededForTest, packageSubject, repositoryOf, testImage, testPackage } from './test-run.ts';

/** What was tested: a package, or the container itself. */
export interface TestedSubject {
  readonly title: string;
  readonly tests: readonly string[];
  /** Messages about those that did not pass. */
  readonly failed: readonly string[];
}

export interface TestOutcome {
  readonly tested: readonly TestedSubject[];
  readonly failures: readonly BuilditError[];
}

/**
 * Tests what has been built already, building nothing: the named packages, or all that the container's image may hold, and
 * the image itself. Which cache a package came from makes no difference. Answers failures, and throws where something that
 * is to be tested is not there.
 */
export async function test(options: BuildOptions, names: readonly string[]): Promise<TestOutcome> {
  const prepared = await prepareRun(options);
  try {
    return await withCollectionLock(prepared.store, 'shared', () =>
      withPresentPackages(prepared, (run) => testRun(run, names)),
    );
  } finally {
    await prepared.sharing.close();
  }
}

/** Opens a shell in what a package is tested in: as it was found, or as it was built when it failed its tests last. */
export async function openShellOfTest(run: Run, step: BuildStep): Promise<number> {
  const failed = await readFailedRecord(run.store, step.hash);
  const around = neededForTest(run, step);
  const records = new Map(await presentRecords(run, failed === undefined ? [step.hash, ...around] : around));
  if (failed !== undefined) records.set(step.hash, failed);
  const repository = repositoryOf(run, step);
  return inWorkspace(run, step.hash, `shell-${step.name}`, repository, async (setting) =>
    openTestShell(await packageSubject(run, step, records, setting.workspace), setting, run.options.context),
  );
}

async function testRun(run: Run, names: readonly string[]): Promise<TestOutcome> {
  const { plan, definitions } = run;
  const named = names.map((name) => findStep(plan, name));
  const wanted = wantedForImage(run);
  const image = new Set(realisedFor(run, wanted));
  const asked = names.length > 0 ? named : plan.steps.filter(({ hash }) => image.has(hash));
  const steps = [...new Set(asked)].filter((step) => step.package.tests.length > 0);
  const testsImage = names.length === 0 && definitions.container.tests !== undefined;
  const needed = steps.flatMap((step) => [step.hash, ...neededForTest(run, step)]);
  const records = await presentRecords(run, [...new Set([...needed, ...(testsImage ? image : [])])]);

  const tested: TestedSubject[] = [];
  const failures: BuilditError[] = [];
  const note = async (title: string, tests: readonly string[], work: () => Promise<readonly BuilditError[]>) => {
    const found = await announced(run, title, work);
    tested.push({ title, tests, failed: found.map(({ message }) => message) });
    append(failures, found);
  };
  for (const step of steps) {
    const title = `${step.name}-${step.version}`;
    await note(title, testNames(step.package.tests), () => testPackage(run, step, records));
  }
  if (testsImage) {
    const content = await contentOf(run, await selectForImage(run, wanted, records));
    const { container } = definitions;
    await note(containerTitle(container), testNames(container.tests ?? []), () => testImage(run, content));
  }
  return { tested, failures };
}

function testNames(tests: BuildStep['package']['tests']): readonly string[] {
  return tests.map(({ name }) => name);
}

async function announced(
  { options }: Run,
  label: string,
  work: () => Promise<readonly BuilditError[]>,
): Promise<readonly BuilditError[]> {
  const { emit, signal } = options.context;
  emit({ kind: 'test-started', label });
  try {
    const failures = await work();
    emit({ kind: failures.length === 0 ? 'test-passed' : 'test-failed', label });
    return failures;
  } catch (error) {
    if (!signal.aborted) emit({ kind: 'test-failed', label });
    throw error;
  }
}

/** Records of all these packages; what has not been built is an error for each. */
async function presentRecords(run: Run, hashes: readonly Hash[]): Promise<Records> {
  const { plan, sharing, options } = run;
  const { needed, lookups } = await assessPlan(plan, hashes, (hash) => sharing.cache.peek(hash));
  const lacking = needed.filter(({ hash }) => hashes.includes(hash) && lookups.get(hash)!.kind === 'miss');
  throwCollected(lacking.map((step) => notBuilt(step, options.directory)));
  // Nothing of it is shown: the transcript is that of the tests.
  const emit: typeof options.context.emit = (event) => {
    if (!event.kind.startsWith('package-')) options.context.emit(event);
  };
  return realiseRun({ ...run, options: { ...options, context: { ...options.context, emit } } }, hashes);
}

function notBuilt({ name, version, hash, package: { position } }: BuildStep, directory: string): BuilditError {
  return new BuilditError(
    'file-missing',
    `Cannot test "${name}-${version}": expected it to be built, found nothing under its HASH ${hashAsUuid(hash)}`,
    { position, hint: `buildit build ${directory}` },
  );
}
