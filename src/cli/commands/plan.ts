import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseRevisionRange } from '../../discover/revision-range.ts';
import { BuilditError } from '../../model/errors.ts';
import type { BuilditEvent } from '../../model/events.ts';
import { hashAsUuid } from '../../model/package-hash.ts';
import type { RevisionChanges } from '../../pipeline/compare-revisions.ts';
import type { PlanOutcome } from '../../pipeline/contract.ts';
import { createWitness, type Witness } from '../../system/witness.ts';
import { changeLines, hasChanges } from '../change-lines.ts';
import { checkDirectory, definitionFile } from '../check-directory.ts';
import type { CliContext } from '../cli-context.ts';
import { coloursFor } from '../colours.ts';
import type { Finish } from '../command-line.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { renderSecondRun } from '../receipt/second-run.ts';
import { writeReceipt } from '../receipt/write-receipt.ts';
import { ciServiceOf, inertText } from '../screen/inert-stream.ts';
import { type Session, withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { buildOptions, optionsAt } from './build.ts';

/** Something would be built; told only when asked for. */
const WOULD_BUILD = 22;

interface PlanFlags extends ContainerOptions {
  readonly exitCode?: true;
  readonly changed?: string;
}

export function addPlanCommand(program: Command, cli: CliContext, finish: Finish): void {
  const command = program
    .command('plan')
    .description('say what a build would do, and why; nothing is built')
    .argument('<dir...>', 'a directory that holds a container.yaml, or a repository.yaml for all of its recipes');
  addContainerOptions(command)
    .option('--changed <rev..rev>', 'say what changes between two git revisions; `REV..` is up to the work tree')
    .option('--exit-code', `end with ${WOULD_BUILD} when something would be built, or with --changed is another`)
    .option('--json', 'print {"steps": [{name, version, hash, buildKey, state, reason}]}, dependencies first')
    .addHelpText('after', () =>
      examples(
        ['buildit plan nginx-prod/', 'each package with its HASH, and whether it is there'],
        ['buildit plan --exit-code nginx-prod/', 'for scripts: 0 when there is nothing to build'],
        ['buildit plan --verbose nginx-prod/', 'also what maintainer scripts of Debian packages would have done'],
        ['buildit plan repos/main', 'every recipe of a repository at every version'],
        ['buildit plan --changed=main..HEAD repos/main nginx-prod/', 'what a branch rebuilds, and why'],
        ['buildit plan --changed=HEAD.. nginx-prod/', 'what was changed since the last commit'],
      ),
    )
    .action((directories: readonly string[], flags: PlanFlags) =>
      withSession(cli, flags, async (session) => {
        if (flags.changed !== undefined) {
          const changes = await planChanges(cli, directories, { ...flags, changed: flags.changed }, session);
          if (flags.exitCode === true && hasChanges(changes)) finish(WOULD_BUILD);
          return;
        }
        const witness = createWitness();
        const outcome = await planOne(cli, directories, flags, session, witness);
        const skipped = flags.verbose === true ? ((await outcome.skippedScripts?.()) ?? []) : [];
        const lines = [...planLines(outcome), ...skipped];
        if (flags.json === true) session.document({ steps: outcome.steps });
        else session.result(lines);
        if (flags.exitCode === true && missedSteps(outcome).length > 0) finish(WOULD_BUILD);
        if (outcome.isSettled) await keepReceipt(cli, flags, session.events, witness, { ...outcome, lines });
      }),
    );
}

async function planOne(
  cli: CliContext,
  [directory, second]: readonly string[],
  flags: PlanFlags,
  session: Session,
  witness: Witness,
): Promise<Omit<PlanOutcome, 'plan'>> {
  if (second !== undefined) {
    throw new BuilditError('usage', 'Cannot plan: expected one directory without --changed, found several');
  }
  const { makePlan, makeRepositoryPlan } = await import('../../pipeline.ts');
  const holds = definitionFile(cli.cwd, directory!);
  const options = await buildOptions(cli, directory!, flags, session, { holds, witness });
  return holds === 'repository.yaml' ? makeRepositoryPlan(options) : makePlan(options);
}

/** Everything was found, so the exit code of the next run is 0 as well. */
async function keepReceipt(
  cli: CliContext,
  flags: PlanFlags,
  events: readonly BuilditEvent[],
  witness: Witness,
  { lines, expiresMs }: { readonly lines: readonly string[]; readonly expiresMs: number | undefined },
): Promise<void> {
  const { stderr } = renderSecondRun(events, [], {
    quiet: flags.quiet === true,
    colours: coloursFor(cli.stderr.isTerminal, cli.environment),
    service: ciServiceOf(cli.argv, cli.environment),
  });
  const stdout = inertText(lines.map((line) => `${line}\n`).join(''), ciServiceOf(cli.argv, cli.environment));
  await writeReceipt(cli.installation, cli, { stdout, stderr, sightings: witness.sightings(), expiresMs });
}

async function planChanges(
  cli: CliContext,
  directories: readonly string[],
  flags: PlanFlags & { readonly changed: string },
  session: Session,
): Promise<RevisionChanges> {
  const range = parseRevisionRange(flags.changed);
  for (const directory of directories) checkDirectory(cli.cwd, directory, definitionFile(cli.cwd, directory));
  const { compareRevisions } = await import('../../pipeline.ts');
  const changes = await compareRevisions({
    directories: directories.map((directory) => resolve(cli.cwd, directory)),
    range,
    optionsAt: (directory) => optionsAt(cli, directory, flags, session),
  });
  session.screen.close();
  if (flags.json === true) session.document(changes);
  else session.result(changeLines(changes, cli.cwd));
  return changes;
}

function missedSteps({ steps }: Pick<PlanOutcome, 'steps'>): PlanOutcome['steps'] {
  return steps.filter(({ state }) => state === 'build');
}

export function planLines(outcome: Pick<PlanOutcome, 'steps'>): string[] {
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
