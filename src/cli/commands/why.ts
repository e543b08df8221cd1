import type { Command } from 'commander';
import { didYouMean } from '../../document/closest-name.ts';
import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import type { Plan, PlanStep } from '../../model/plan.ts';
import type { CliContext } from '../cli-context.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { stepsNamed, whyIncluded } from '../why-included.ts';
import { buildOptions } from './build.ts';

export function addWhyCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('why')
    .description('say why a package is in an image or in a build root')
    .argument('<dir>', 'a directory that holds a container.yaml')
    .argument('<package>', 'CATEGORY/NAME, or the name of a Debian package');
  addContainerOptions(command)
    .option('--json', 'print the chain as one JSON document')
    .addHelpText('after', () => examples(['buildit why nginx-prod/ zlib1g', 'who brings zlib along']))
    .action((directory: string, name: string, flags: ContainerOptions) =>
      withSession(cli, { ...flags, quiet: true }, async (session) => {
        const { makePlan } = await import('../../pipeline.ts');
        const { plan } = await makePlan(await buildOptions(cli, directory, flags, session));
        const answers = stepsHere(plan, name).map((step) => answer(plan, step));
        if (flags.json === true) session.document({ packages: answers });
        else session.result(answers.flatMap(answerLines));
      }),
    );
}

type Answer = ReturnType<typeof answer>;

function stepsHere(plan: Plan, name: string): readonly PlanStep[] {
  const steps = stepsNamed(plan, name);
  if (steps.length > 0) return steps;
  const known = new Set([...plan.stepsByHash.values()].map((step) => step.name));
  throw new BuilditError(
    'usage',
    `Cannot find "${printable(name)}" in the plan: expected a package of the image or of a build root, found none`,
    { hint: didYouMean(name, known) },
  );
}

function answer(plan: Plan, step: PlanStep) {
  return {
    name: step.name,
    version: step.version,
    hash: step.hash,
    place: plan.imageCandidates.includes(step.hash) ? 'image' : 'build root',
    chain: whyIncluded(plan, step.hash).map((link) => ({
      name: link.step.name,
      version: link.step.version,
      because: link.because,
    })),
  };
}

function answerLines({ name, version, place, chain }: Answer): string[] {
  const where = place === 'image' ? 'may enter the image' : 'is in a build root only';
  const rows = chain.map((link) => [`  ${link.name}-${link.version}`, link.because]);
  return [`${name}-${version} ${where}`, ...textTable([{ title: '' }, { title: '' }], rows).slice(1)];
}
