import { BuilditError, throwCollected } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type Atom, atomText } from '../model/package.ts';
import type { Hash } from '../model/package-hash.ts';
import { runDependencies } from '../model/run-exclusions.ts';
import { candidateName, type ImageCandidate, type SelectedMember } from './image-member.ts';
import type { MemberReason } from './member-reason.ts';
import { orderMembers } from './order-members.ts';
import { checkReplacement, replacedNames } from './replacement.ts';
import { candidateElf, findProvider, indexSonames, type SonameProviders } from './soname-providers.ts';

export interface MemberSelection {
  readonly requested: readonly Hash[];
  /** The base package, first in the image. */
  readonly base: Hash | undefined;
  readonly candidates: readonly ImageCandidate[];
}

export interface SelectedImage {
  /** Base first, then dependencies before dependants, ties by name. */
  readonly members: readonly SelectedMember[];
  readonly reasons: ReadonlyMap<string, readonly MemberReason[]>;
  /** Names of packages left out because a member stands in for them. */
  readonly replaced: ReadonlyMap<string, string>;
}

/** Decides which packages an image holds: what is requested, and what that really needs at run time. Pure. */
export function selectMembers(selection: MemberSelection): SelectedImage {
  const world = indexCandidates(selection.candidates);
  let replaced: ReadonlyMap<string, string> = new Map();
  let closure = followNeeds(selection, world, replaced);
  for (;;) {
    const found = replacedNames([...closure.nodes.values()].map(({ candidate }) => candidate));
    if ([...found.keys()].every((name) => replaced.has(name))) break;
    replaced = new Map([...replaced, ...found]);
    closure = followNeeds(selection, world, replaced);
  }
  const hits = [...closure.replacementsUsed].map((name) => ({ name, by: replaced.get(name)! }));
  throwCollected([
    ...closure.errors,
    ...hits.flatMap(({ name, by }) => checkReplacement(world.byName.get(name)!, world.byName.get(by)!)),
  ]);
  return {
    members: orderedMembers(selection, closure),
    reasons: new Map([...closure.nodes].map(([name, { reasons }]) => [name, reasons])),
    replaced: new Map(hits.map(({ name, by }) => [name, by])),
  };
}

interface World {
  readonly byName: ReadonlyMap<string, ImageCandidate>;
  readonly byHash: ReadonlyMap<Hash, ImageCandidate>;
  readonly sonames: SonameProviders;
}

interface Node {
  readonly candidate: ImageCandidate;
  readonly reasons: MemberReason[];
  readonly dependencies: Set<string>;
}

interface Closure {
  readonly nodes: Map<string, Node>;
  readonly replacementsUsed: Set<string>;
  readonly errors: BuilditError[];
}

function indexCandidates(candidates: readonly ImageCandidate[]): World {
  return {
    byName: new Map(candidates.map((candidate) => [candidateName(candidate), candidate])),
    byHash: new Map(candidates.map((candidate) => [candidate.hash, candidate])),
    sonames: indexSonames(candidates),
  };
}

function followNeeds(selection: MemberSelection, world: World, replaced: ReadonlyMap<string, string>): Closure {
  const closure: Closure = { nodes: new Map(), replacementsUsed: new Set(), errors: [] };
  const pending: string[] = [];
  /** Notes that a package is needed; one that is replaced gives way to what stands in for it. */
  const add = (needed: string, reason: MemberReason): string => {
    const standIn = replaced.get(needed);
    const name = standIn ?? needed;
    if (standIn !== undefined) closure.replacementsUsed.add(needed);
    const node = closure.nodes.get(name);
    const by = 'by' in reason ? reason.by : undefined;
    if (standIn !== undefined && by === name) return name;
    const told: MemberReason =
      standIn === undefined || by === undefined ? reason : { kind: 'replacement', by, replaced: needed };
    if (node !== undefined) node.reasons.push(told);
    else {
      closure.nodes.set(name, { candidate: world.byName.get(name)!, reasons: [told], dependencies: new Set() });
      pending.push(name);
    }
    return name;
  };
  for (const hash of selection.requested) {
    const candidate = world.byHash.get(hash);
    if (candidate === undefined) throw new TypeError(`Package ${hash} is requested and is not a candidate`);
    add(candidateName(candidate), { kind: hash === selection.base ? 'base' : 'requested' });
  }
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    const node = closure.nodes.get(name)!;
    const needs = needsOf(node.candidate, world, replaced, closure.errors);
    for (const need of needs) node.dependencies.add(add(need.name, need.reason));
  }
  return closure;
}

interface Need {
  readonly name: string;
  readonly reason: MemberReason;
}

function needsOf(
  candidate: ImageCandidate,
  world: World,
  replaced: ReadonlyMap<string, string>,
  errors: BuilditError[],
): Need[] {
  const by = candidateName(candidate);
  if (candidate.kind === 'debian') {
    const followed = runDependencies(candidate.pin);
    const related = followed.flatMap((name) =>
      existing(world, `debian/${name}`, errors, `${by} depends on it`, { kind: 'depends', by }),
    );
    // The archive's relations were measured on other files than those that were built here.
    return candidate.built === undefined ? related : [...related, ...libraryNeeds(candidate, world, replaced, errors)];
  }
  const declared = declaredRun(candidate).flatMap((atom) =>
    existing(world, atomName(atom), errors, `${by} declares that it runs it`, { kind: 'run', by }),
  );
  return [...declared, ...libraryNeeds(candidate, world, replaced, errors)];
}

/** A sub-package runs what its rule says; what the package runs is the package's. */
function declaredRun({ part, package: definition }: Extract<ImageCandidate, { kind: 'build' }>): readonly Atom[] {
  if (part === undefined) return definition.dependencies.run;
  return definition.subpackages?.find(({ name }) => name === part)?.run ?? [];
}

/** Debian declares its packages' libraries; what is built from recipes was measured, and that counts. */
function libraryNeeds(
  candidate: ImageCandidate,
  world: World,
  replaced: ReadonlyMap<string, string>,
  errors: BuilditError[],
): Need[] {
  const by = candidateName(candidate);
  const needs = new Map<string, Need>();
  for (const elf of candidateElf(candidate)) {
    for (const library of elf.needed) {
      const provision = findProvider(world.sonames, candidate, elf, library, (other) =>
        replaced.has(candidateName(other)),
      );
      if (provision.kind === 'candidate') {
        const name = candidateName(provision.candidate);
        const reason = { kind: 'library', by, file: elf.path, soname: library.soname } as const;
        if (!needs.has(name)) needs.set(name, { name, reason });
      } else if (provision.kind === 'missing') {
        const found =
          provision.older === undefined
            ? 'no package of the image or its dependencies has it'
            : `${candidateName(provision.older)} has it without ${printable(provision.versions.join(', '))}`;
        errors.push(
          new BuilditError(
            'dependency-unsatisfied',
            `Cannot assemble the image with "${by}": ${printable(elf.path)} needs ${printable(library.soname)}, and ${found}`,
            { hint: `add the package that has it to dependencies.link or dependencies.run of ${by}` },
          ),
        );
      }
    }
  }
  return [...needs.values()];
}

function existing(world: World, name: string, errors: BuilditError[], why: string, reason: MemberReason): Need[] {
  if (world.byName.has(name)) return [{ name, reason }];
  errors.push(
    new BuilditError('dependency-unsatisfied', `Cannot find "${name}" for the image: ${why}, and the lock has none`, {
      hint: 'buildit lock resolves what the image needs again',
    }),
  );
  return [];
}

function atomName({ category, name }: Atom): string {
  return atomText({ category, name });
}

function orderedMembers({ base }: MemberSelection, { nodes }: Closure): SelectedMember[] {
  const order = orderMembers([...nodes.keys()], (name) => [...nodes.get(name)!.dependencies]);
  const members = order.map((name) => selectedMember(nodes.get(name)!.candidate));
  return [...members.filter(({ hash }) => hash === base), ...members.filter(({ hash }) => hash !== base)];
}

function selectedMember(candidate: ImageCandidate): SelectedMember {
  const { record } = candidate;
  const built = candidate.kind === 'build' ? candidate : candidate.built;
  const layer = record.outputs.main;
  const name = candidateName(candidate);
  if (layer === undefined) {
    throw new BuilditError('store-damaged', `Cannot use the record of "${name}": it has no main output`);
  }
  return {
    name,
    version: record.version,
    kind: built === undefined ? 'debian' : 'build',
    hash: candidate.kind === 'build' ? record.hash : (built?.hash ?? candidate.hash),
    layer,
    sourceDate: record.sourceDate,
    license: built?.package.license,
    users: candidate.kind === 'build' && candidate.part !== undefined ? [] : (built?.package.users ?? []),
  };
}
