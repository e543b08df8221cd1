import type { Atom } from '../model/package.ts';
import type { Hash } from '../model/package-hash.ts';
import type { Plan, PlanStep } from '../model/plan.ts';

/** One step of an answer: this package is there because of the one before it. */
export interface WhyLink {
  readonly step: PlanStep;
  readonly because: string;
}

interface Edge {
  readonly to: Hash;
  readonly because: string;
}

/**
 * The shortest chain from what the container asks for to a package. Chains that lead into the image count before those
 * that only lead into a build root. Empty when nothing leads to it.
 */
export function whyIncluded(plan: Plan, wanted: Hash): readonly WhyLink[] {
  const intoImage = shortestChain(plan, wanted, (step) => runEdges(plan, step));
  if (intoImage.length > 0) return intoImage;
  return shortestChain(plan, wanted, (step) => [...runEdges(plan, step), ...rootEdges(step)]);
}

function shortestChain(plan: Plan, wanted: Hash, edgesOf: (step: PlanStep) => readonly Edge[]): readonly WhyLink[] {
  const cameFrom = new Map<Hash, { from: Hash | undefined; because: string }>();
  const open: Hash[] = [];
  const reach = (hash: Hash, from: Hash | undefined, because: string) => {
    if (cameFrom.has(hash) || !plan.stepsByHash.has(hash)) return;
    cameFrom.set(hash, { from, because });
    open.push(hash);
  };
  for (const hash of plan.requested) reach(hash, undefined, 'asked for by container.yaml');
  for (let index = 0; index < open.length && !cameFrom.has(wanted); index += 1) {
    const from = open[index]!;
    for (const { to, because } of edgesOf(plan.stepsByHash.get(from)!)) reach(to, from, because);
  }
  const chain: WhyLink[] = [];
  for (let hash: Hash | undefined = cameFrom.has(wanted) ? wanted : undefined; hash !== undefined; ) {
    const { from, because } = cameFrom.get(hash)!;
    chain.unshift({ step: plan.stepsByHash.get(hash)!, because });
    hash = from;
  }
  return chain;
}

/** What a package brings along at run time, as far as it is declared. */
function runEdges(plan: Plan, step: PlanStep): readonly Edge[] {
  if (step.kind === 'debian') {
    return step.pin.depends.flatMap((name) =>
      edgesToName(plan, { category: 'debian', name }, `needed by ${step.name}`),
    );
  }
  const { run, link } = step.package.dependencies;
  return [
    ...run.flatMap((atom) => edgesToName(plan, atom, `a run dependency of ${step.name}`)),
    ...link.flatMap((atom) => edgesToName(plan, atom, `linked by ${step.name}`)),
  ];
}

function rootEdges(step: PlanStep): readonly Edge[] {
  if (step.kind === 'debian') return [];
  return step.root.map((to) => ({ to, because: `in the build root of ${step.name}` }));
}

/** A Debian package can be there twice: as the image has it and as a root has it. The image's comes first. */
function edgesToName(plan: Plan, atom: Atom, because: string): readonly Edge[] {
  const inImage = new Set(plan.imageCandidates);
  return stepsNamed(plan, atom.category === 'debian' ? atom.name : `${atom.category}/${atom.name}`)
    .map(({ hash }) => ({ to: hash, because }))
    .sort((a, b) => Number(inImage.has(b.to)) - Number(inImage.has(a.to)));
}

/** Steps by name, with or without `debian/`, or by name and version. */
export function stepsNamed(plan: Plan, name: string): readonly PlanStep[] {
  const plain = name.replace(/^debian\//, '');
  return [...plan.stepsByHash.values()].filter(
    (step) => step.name === name || step.name === plain || step.name === `debian/${plain}`,
  );
}
