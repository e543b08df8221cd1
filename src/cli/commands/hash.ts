import type { Command } from 'commander';
import type { JsonValue } from '../../model/canonical-json.ts';
import { hashAsUuid } from '../../model/package-hash.ts';
import type { BuildStep, Plan } from '../../model/plan.ts';
import type { CliContext } from '../cli-context.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { inputTree } from '../input-tree.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { buildOptions } from './build.ts';

interface HashFlags extends ContainerOptions {
  readonly explain?: true;
}

export function addHashCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('hash')
    .description('print the HASH of each package that a container builds')
    .argument('<dir>', 'a directory that holds a container.yaml')
    .argument('[package]', 'only this one: CATEGORY/NAME, NAME, or the path in container.yaml');
  addContainerOptions(command)
    .option('--explain', 'show everything the HASH is made of, as a tree')
    .option('--json', 'print the same as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit hash nginx-prod/', 'the HASHes, dependencies first'],
        ['buildit hash --explain nginx-prod/ nginx', 'what makes the HASH of nginx what it is'],
      ),
    )
    .action((directory: string, name: string | undefined, flags: HashFlags) =>
      withSession(cli, flags, async (session) => {
        const { findStep, makePlan } = await import('../../pipeline.ts');
        const { plan } = await makePlan(await buildOptions(cli, directory, flags, session));
        const steps = name === undefined ? plan.steps : [findStep(plan, name)];
        if (flags.json === true) session.document({ packages: steps.map((step) => hashDocument(step, flags)) });
        else session.result(flags.explain === true ? steps.flatMap((step) => explained(step, plan)) : hashLines(steps));
      }),
    );
}

function hashLines(steps: readonly BuildStep[]): string[] {
  const rows = steps.map((step) => [hashAsUuid(step.hash), `${step.name}-${step.version}`]);
  return textTable([{ title: 'HASH' }, { title: 'PACKAGE' }], rows).slice(1);
}

function hashDocument({ name, version, hash, inputs }: BuildStep, { explain }: HashFlags) {
  return { name, version, hash, uuid: hashAsUuid(hash), ...(explain === true ? { inputs } : {}) };
}

function explained(step: BuildStep, plan: Plan): string[] {
  const nameOf = (value: JsonValue) => {
    const known = typeof value === 'string' ? plan.stepsByHash.get(value) : undefined;
    return known === undefined ? undefined : `${known.name}-${known.version}`;
  };
  return [`${step.name}-${step.version}  ${hashAsUuid(step.hash)}  (${step.hash})`, ...inputTree(step.inputs, nameOf)];
}
