import { join } from 'node:path';
import { composeRoot } from '../build/compose-root.ts';
import type { Records } from '../build/realise-plan.ts';
import { runTests, type TestSetting } from '../build/run-tests.ts';
import type { TestSubject } from '../build/test-root.ts';
import { openWorkspace, type Workspace } from '../build/workspace.ts';
import { completeTree } from '../image/complete-tree.ts';
import type { ImageCandidate } from '../image/image-member.ts';
import { layOutTree } from '../image/lay-out-tree.ts';
import { possibleMembers } from '../image/possible-members.ts';
import { type ImageContent, prepareContent } from '../image/prepare-content.ts';
import { runAs } from '../image/run-as.ts';
import { selectMembers } from '../image/select-members.ts';
import { containerTitle, type RepositoryDefinition } from '../model/container.ts';
import { digestOfJson } from '../model/digest.ts';
import { BuilditError, throwCollected } from '../model/errors.ts';
import type { DebianSet } from '../model/lock.ts';
import type { Hash } from '../model/package-hash.ts';
import type { BuildStep, ConvertStep } from '../model/plan.ts';
import { isDebugOutput, type PackageRecord } from '../model/record.ts';
import { SANDBOX_ENVIRONMENT, SANDBOX_GID, SANDBOX_UID } from '../model/sandbox-contract.ts';
import { declaredMembers, ownNames } from '../plan/compose-members.ts';
import { neededNames } from '../plan/create-plan.ts';
import { reachable } from '../plan/order-packages.ts';
import { debianHash } from '../plan/package-inputs.ts';
import { buildCandidates, partHash } from './assemble-run.ts';
import { convertSteps } from './convert-steps.ts';
import { debianMembers } from './debian-members.ts';
import { findBubblewrap } from './host-programs.ts';
import type { Run } from './prepare-run.ts';
import { packingSteps, rootDebian, shownName } from './realise-run.ts';

/**
 * Packages built from recipes that are in the root where a package is tested: what it carries, and the base. A base that is
 * itself made with the package is not: it cannot be there first.
 */
export function neededForTest(run: Run, step: BuildStep): Hash[] {
  const base = baseFor(run, step);
  const carried = carriedSteps(run, step).filter(({ hash }) => hash !== step.hash);
  return [...new Set([...carried, ...(base === undefined ? [] : [base])].map(({ hash }) => hash))];
}

/** Runs a package's own tests, and answers those that failed. `records` holds it and what `neededForTest` names. */
export async function testPackage(run: Run, step: BuildStep, records: Records): Promise<readonly BuilditError[]> {
  const repository = repositoryOf(run, step);
  return inWorkspace(run, step.hash, `test-${step.name}`, repository, async (setting) => {
    const subject = await packageSubject(run, step, records, setting.workspace);
    return runTests(step.package.tests, subject, setting, run.options.context);
  });
}

/** Lays out what a package is tested in. */
export async function packageSubject(
  run: Run,
  step: BuildStep,
  records: Records,
  { path }: Workspace,
): Promise<TestSubject> {
  const content = await packageContent(run, step, records);
  const title = `${step.name}-${step.version}`;
  const directory = '/tmp';
  return {
    title,
    kind: 'package',
    tree: completeTree(await layOutTree(run.store, content, join(path, 'root')), title, directory),
    uid: SANDBOX_UID,
    gid: SANDBOX_GID,
    environment: { ...SANDBOX_ENVIRONMENT, HOME: '/tmp' },
    directory,
    hint: `buildit shell ${shownName(run, step.package)} --test opens what it was tested in`,
  };
}

/** Runs a container's tests on its finished image; throws what failed. */
export async function passImageTests(run: Run, content: ImageContent): Promise<void> {
  const { container } = run.definitions;
  if (container.tests === undefined) return;
  const { emit } = run.options.context;
  const label = containerTitle(container);
  emit({ kind: 'test-started', label });
  try {
    throwCollected(await testImage(run, content));
    emit({ kind: 'test-passed', label });
  } catch (error) {
    if (!run.options.context.signal.aborted) emit({ kind: 'test-failed', label });
    throw error;
  }
}

/** Runs a container's tests on its finished image, and answers those that failed. */
export async function testImage(run: Run, content: ImageContent): Promise<readonly BuilditError[]> {
  const { container, repositories } = run.definitions;
  const title = containerTitle(container);
  const id = digestOfJson({ test: title });
  return inWorkspace(run, id, `test-${container.name}`, repositories[0]!, async (setting) => {
    const as = runAs(container.images, content);
    const tree = await layOutTree(run.store, content, join(setting.workspace.path, 'root'));
    const subject: TestSubject = {
      title,
      kind: 'image',
      tree: completeTree(tree, title, as.directory),
      ...as,
      hint: undefined,
    };
    return runTests(container.tests ?? [], subject, setting, run.options.context);
  });
}

/**
 * All files of the root that a package is tested in: what an image would hold that asks for this package, for all of its
 * parts but debug files, for what `dependencies.test` names, and for the container's base.
 *
 * Debian packages are those of the repository's roots, not the container's: the container pins only what its own image may
 * hold, which a package that is only built with is no part of. And what passes is kept under the package's HASH for every
 * container, so it must not depend on the one at hand; the roots are what the HASH is made of. Only what no root has comes
 * from the container's pins: binary packages of a source package that is built here. The container's own pins are tried by
 * its own tests.
 */
async function packageContent(run: Run, step: BuildStep, records: Records): Promise<ImageContent> {
  const { store, definitions } = run;
  const { base, own, fromRecipes, asked, wanted } = testMembers(run, step);
  const binaries = binariesOf(own, records);
  const parts = Object.keys(records.get(step.hash)!.outputs).filter((part) => part !== 'main' && !isDebugOutput(part));
  const requested = [
    ...(base === undefined ? [] : [base.hash]),
    ...(isRequested(step, base) ? [step.hash, ...parts.map((part) => partHash(step.hash, part))] : []),
    ...asked,
  ];
  const converted = await convertSteps(
    run,
    wanted.filter(({ name }) => !binaries.has(name)),
  );
  const selected = selectMembers({
    requested,
    base: base?.hash,
    candidates: [
      ...fromRecipes.flatMap((member) => buildCandidates(member, records.get(member.hash)!)),
      ...wanted.map((pin) => debianCandidate(pin, binaries.get(pin.name), converted)),
    ],
  });
  return prepareContent(store, {
    container: { ...definitions.container, steps: [], images: [] },
    selected: selected.members,
    render: (text) => text,
  });
}

/** What the root of a package's test may hold, as far as it is known before anything is built. */
function testMembers(run: Run, step: BuildStep) {
  const repository = repositoryOf(run, step);
  const debian: DebianSet = { ...run.lock.debian, ...rootDebian(run, repository) };
  const pins = Object.values(debian).map(convertStep);
  const base = baseFor(run, step);
  const carried = carriedSteps(run, step);
  const own = base === undefined || carried.includes(base) ? carried : [base, ...carried];
  const fromRecipes = own.filter(({ package: { outputs } }) => outputs !== 'debs');
  const named = [
    ...step.package.dependencies.test.map(({ name }) => name),
    ...(step.package.outputs === 'debs' ? (step.package.debianSource?.binaries ?? []) : []),
  ];
  const asked = named.map((name) => pinNamed(step, name, debian)).map(debianHash);
  const requested = [
    ...(base === undefined ? [] : [base.hash]),
    ...(isRequested(step, base) ? [step.hash] : []),
    ...asked,
  ];
  const possible = new Set(
    possibleMembers({ requested, candidates: [...fromRecipes, ...pins], runtime: repository.debian.runtime }),
  );
  return { base, own, fromRecipes, asked, wanted: pins.filter(({ hash }) => possible.has(hash)) };
}

function isRequested(step: BuildStep, base: BuildStep | undefined): boolean {
  return step.package.outputs !== 'debs' && step !== base;
}

function pinNamed({ package: { name, position } }: BuildStep, wanted: string, debian: DebianSet): DebianSet[string] {
  if (Object.hasOwn(debian, wanted)) return debian[wanted]!;
  throw new BuilditError('lock-outdated', `Cannot test "${name}": the lock does not pin debian/${wanted}`, {
    hint: 'buildit lock; for a recipe of a repository buildit lock --root there',
    position,
  });
}

/** Debian packages that the root of these packages' tests takes from the archive. */
export function testDependencies(run: Run, steps: readonly BuildStep[]): ConvertStep[] {
  return steps.flatMap((step) => {
    if (step.package.tests.length === 0) return [];
    const { own, wanted } = testMembers(run, step);
    const debs = own.filter(({ package: { outputs } }) => outputs === 'debs');
    const made = new Set(debs.flatMap(({ package: { replaces } }) => replaces.map(({ name }) => name)));
    return wanted.filter(({ name }) => !made.has(name));
  });
}

interface BuiltBinary {
  readonly step: BuildStep;
  readonly record: PackageRecord;
}

/** Debian packages that are made here from their source, by name. */
function binariesOf(own: readonly BuildStep[], records: Records): ReadonlyMap<string, BuiltBinary> {
  const binaries = new Map<string, BuiltBinary>();
  for (const step of own) {
    if (step.package.outputs !== 'debs') continue;
    const record = records.get(step.hash)!;
    for (const [name, layer] of Object.entries(record.outputs)) {
      binaries.set(name, { step, record: { ...record, outputs: { main: layer } } });
    }
  }
  return binaries;
}

function debianCandidate(
  { hash, pin }: ConvertStep,
  binary: BuiltBinary | undefined,
  converted: Records,
): ImageCandidate {
  if (binary === undefined) return { kind: 'debian', hash, pin, record: converted.get(hash)! };
  const { step, record } = binary;
  return { kind: 'debian', hash, pin, record, built: { hash: step.hash, package: step.package } };
}

function convertStep(pin: DebianSet[string]): ConvertStep {
  return { kind: 'debian', name: pin.name, version: pin.version, hash: debianHash(pin), pin };
}

/** The package itself, and the packages built from recipes that go where it goes, dependencies first. */
function carriedSteps(run: Run, step: BuildStep): BuildStep[] {
  const members = declaredOf(run, step);
  const parts = step.package.subpackages?.flatMap((part) => ownNames(part.run)) ?? [];
  return [...stepsNamed(run, [...new Set([...members.packages, ...parts])]), step];
}

function declaredOf(run: Run, step: BuildStep): ReturnType<typeof declaredMembers> {
  const repository = repositoryOf(run, step);
  const packages = new Map(run.definitions.packages.map((definition) => [definition.name, definition]));
  return declaredMembers(step.package, repository, packages, rootDebian(run, repository));
}

function stepsNamed({ plan }: Run, names: readonly string[]): BuildStep[] {
  return names.flatMap((name) => plan.steps.find((step) => step.name === name) ?? []);
}

/** The container's base, unless it is made with the package that is tested, in whatever way. */
function baseFor(run: Run, step: BuildStep): BuildStep | undefined {
  const { base } = run.definitions.container;
  if (base === false) return undefined;
  if (base === step.name) return step;
  const packages = new Map(run.definitions.packages.map((definition) => [definition.name, definition]));
  const below = reachable([base], (name) => neededNames(packages.get(name)!));
  return below.includes(step.name) ? undefined : stepsNamed(run, [base])[0];
}

export function repositoryOf({ definitions }: Run, step: BuildStep): RepositoryDefinition {
  return definitions.repositories.find(({ name }) => name === step.package.repository)!;
}

/** Opens what tests run in, and removes it with everything in it. */
export async function inWorkspace<Result>(
  run: Run,
  id: Hash,
  label: string,
  repository: RepositoryDefinition,
  work: (setting: TestSetting) => Promise<Result>,
): Promise<Result> {
  const { store, options, definitions } = run;
  const steps = packingSteps(repository, rootDebian(run, repository));
  const members = await debianMembers(run, steps);
  const toolRoot = await composeRoot(store, [...members.keys()].sort(), async (diffId) => members.get(diffId)!);
  const bubblewrap = await findBubblewrap(run);
  const workspace = await openWorkspace(store, id, label);
  try {
    return await work({
      bubblewrap,
      tools: toolRoot,
      platform: definitions.container.platform,
      workspace,
      memoryBytes: options.config.build.memoryBytes,
    });
  } finally {
    await workspace.release();
  }
}
