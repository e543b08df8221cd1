import type { Definitions } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { ContainerLock, DebianPin, DebianSet, RepositoryLock } from '../model/lock.ts';
import { carriedDependencies, type ResolvedPackage } from '../model/package.ts';
import type { Hash } from '../model/package-hash.ts';
import type { BuildStep, ConvertStep, Plan, PlanStep, StandIn } from '../model/plan.ts';
import { createCarriedClosures } from './carried-closures.ts';
import { imagePackages, ownNames, rootMembers } from './compose-members.ts';
import { createDebianClosures } from './debian-closures.ts';
import { orderPackages } from './order-packages.ts';
import { createPackageHasher } from './package-hasher.ts';
import { debianHash, packageInputs, type SandboxIdentity } from './package-inputs.ts';

export interface PlanLocks {
  readonly repositories: Readonly<Record<string, RepositoryLock>>;
  readonly container: ContainerLock;
}

/** Orders and identifies everything a container needs. Pure: the same definitions and locks give the same plan. */
export function createPlan(definitions: Definitions, locks: PlanLocks, sandbox: SandboxIdentity): Plan {
  const packages = new Map(definitions.packages.map((definition) => [definition.name, definition]));
  const repositories = new Map(definitions.repositories.map((repository) => [repository.name, repository]));
  const order = orderPackages(definitions.requested, (name) => neededNames(packages.get(name)!));
  const own = createCarriedClosures(packages);
  const closures = new Map(
    [...repositories.values()].map((repository) => [
      repository.name,
      { own, debian: createDebianClosures(rootSet(locks, repository.name), repository) },
    ]),
  );

  const hashes = new Map<string, Hash>();
  const hasher = createPackageHasher(packages.size);
  const steps: BuildStep[] = [];
  const conversions = new Map<Hash, ConvertStep>();
  const convert = createConversions(conversions);
  const convertAll = oncePerObject((pins: readonly DebianPin[]) => pins.map(convert));
  for (const name of order) {
    const definition = packages.get(name)!;
    const members = rootMembers(definition, closures.get(definition.repository)!);
    const debian = convertAll(members.debian);
    const root = asked(() => rootOf(debian, members.packages, hasher.hashes));
    const { platform } = definitions.container;
    const inputs = packageInputs(definition, platform, root, locks.container.patches, sandbox);
    const hash = hasher.hash(own.numberOf(name), inputs, { debian, packages: members.packages });
    hashes.set(name, hash);
    steps.push({
      kind: 'build',
      name,
      version: definition.version,
      hash,
      package: definition,
      inputs,
      get root() {
        return root();
      },
    });
  }

  const image = overridden(locks.container.debian, locks.container.overrides);
  const imageDebian = Object.values(image).map(convert);
  const carried = imagePackages(definitions.requested, packages).map((name) => packages.get(name)!);
  const fromSource = carried.filter(({ outputs }) => outputs === 'debs');
  const candidates = carried
    .filter((definition) => !fromSource.includes(definition))
    .map(({ name }) => hashes.get(name)!);
  const binaries = fromSource
    .filter(({ name }) => definitions.requested.includes(name))
    .flatMap(({ debianSource, position }) => debianSource!.binaries.map((name) => ({ name, position })));
  const requestedDebian = [...binaries, ...definitions.debianRequested].map(({ name, position }) => {
    const pin = Object.hasOwn(image, name) ? image[name] : undefined;
    if (pin === undefined) {
      throw new BuilditError(
        'lock-outdated',
        `Cannot plan "${definitions.container.name}": the lock does not pin debian/${name}`,
        { position, hint: 'buildit lock' },
      );
    }
    return debianHash(pin);
  });
  const requestedOwn = definitions.requested.filter((name) => packages.get(name)!.outputs !== 'debs');
  const stepsByHash = new Map<Hash, PlanStep>([...conversions, ...steps.map((step) => [step.hash, step] as const)]);
  return {
    container: definitions.container,
    steps,
    conversions,
    stepsByHash,
    standIns: standInsOf(image, fromSource, hashes),
    requested: [...requestedOwn.map((name) => hashes.get(name)!), ...new Set(requestedDebian)],
    imageCandidates: [...candidates, ...imageDebian],
  };
}

/** Every package of the image whose source package is built here comes from that build. */
function standInsOf(
  image: DebianSet,
  fromSource: readonly ResolvedPackage[],
  hashes: ReadonlyMap<string, Hash>,
): ReadonlyMap<Hash, StandIn> {
  const standIns = new Map<Hash, StandIn>();
  for (const { name, replaces } of fromSource) {
    for (const binary of replaces) {
      const pin = Object.hasOwn(image, binary.name) ? image[binary.name] : undefined;
      if (pin !== undefined) standIns.set(debianHash(pin), { hash: hashes.get(name)!, output: binary.name });
    }
  }
  return standIns;
}

/** Roots have millions of members between them, and a run looks at few of them: each list is made when it is asked for. */
function asked<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** Makes a value once for each object it is asked about. */
function oncePerObject<Key extends object, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new WeakMap<Key, Value>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

function rootOf(debian: readonly Hash[], packages: Int32Array, numbered: readonly Hash[]): Hash[] {
  const root: Hash[] = new Array(debian.length + packages.length);
  let length = 0;
  for (const hash of debian) root[length++] = hash;
  for (let index = 0; index < packages.length; index += 1) root[length++] = numbered[packages[index]!]!;
  return root;
}

/** What must exist before a package can be built or used: every kind of dependency but the tests'. */
export function neededNames(definition: ResolvedPackage): string[] {
  return ownNames([...definition.dependencies.build, ...carriedDependencies(definition)]);
}

/** Roots are made of the repository's pins; what embedded recipes add never moves one of them. */
export function rootSet(locks: PlanLocks, repository: string): DebianSet {
  return overridden(
    { ...locks.container.additions, ...locks.repositories[repository]?.roots },
    locks.container.overrides,
  );
}

function overridden(set: DebianSet, overrides: DebianSet): DebianSet {
  return Object.fromEntries(
    Object.entries(set).map(([name, pin]) => [name, overrides[`${name}=${pin.version}`] ?? pin]),
  );
}

/** Gives a pin's HASH and notes its conversion; each pin is hashed once, however many roots it is in. */
function createConversions(conversions: Map<Hash, ConvertStep>): (pin: DebianPin) => Hash {
  return oncePerObject((pin) => {
    const hash = debianHash(pin);
    conversions.set(hash, { kind: 'debian', name: pin.name, version: pin.version, hash, pin });
    return hash;
  });
}
