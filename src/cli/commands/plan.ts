import type { Command } from 'commander';
import { hashAsUuid } from '../../model/package-hash.ts';
import type { PlanOutcome } from '../../pipeline/contract.ts';
import type { CliContext } from '../cli-context.ts';
import type { Finish } from '../command-line.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { buildOptions } from './build.ts';

/** Something would be built; told only when asked for. */
const WOULD_BUILD = 22;

interface PlanFlags extends ContainerOptions {
  readonly exitCode?: true;
  readonly all?: true;
}

export function addPlanCommand(program: Command, cli: CliContext, finish: Finish): void {
  const command = program
    .command('plan')
    .description('say what a build would do, and why; nothing is built')
    .argument('<dir>', 'a directory that holds a container.yaml');
  addContainerOptions(command)
    .option('--exit-code', `end with ${WOULD_BUILD} when something would be built`)
    .option('--json', 'print {"steps": [{name, version, hash, buildKey, state, reason}]}, dependencies first')
    .addHelpText('after', () =>
      examples(
        ['buildit plan nginx-prod/', 'each package with its HASH, and whether it is there'],
        ['buildit plan --exit-code nginx-prod/', 'for scripts: 0 when there is nothing to build'],
      ),
    )
    .action((directory: string, flags: PlanFlags) =>
      withSession(cli, flags, async (session) => {
        const { makePlan } = await import('../../pipeline.ts');
        const outcome = await makePlan(await buildOptions(cli, directory, flags, session));
        if (flags.json === true) session.document({ steps: outcome.steps });
        else session.result(planLines(outcome));
        if (flags.exitCode === true && missedSteps(outcome).length > 0) finish(WOULD_BUILD);
      }),
    );
}

function missedSteps({ steps }: PlanOutcome): PlanOutcome['steps'] {
  return steps.filter(({ state }) => state === 'build');
}

export function planLines(outcome: PlanOutcome): string[] {
  const rows = outcome.steps.map(({ state, name, version, hash, reason }) => [
    state,
    `${name}-${version}`,
    hashAsUuid(hash),
    reason,
  ]);
  const columns = [{ title: 'STATE' }, { title: 'PACKAGE' }, { title: 'HASH' }, { title: 'REASON' }];
  const missed = missedSteps(outcome).length;
  return [...textTable(columns, rows), `${missed} to build, ${outcome.steps.length - missed} found`];
}
