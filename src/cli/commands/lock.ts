import type { Command } from 'commander';
import { BuilditError } from '../../model/errors.ts';
import type { LockOutcome } from '../../pipeline/contract.ts';
import type { CliContext } from '../cli-context.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { shownPath } from '../render-error.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { buildOptions } from './build.ts';

interface LockFlags extends ContainerOptions {
  readonly root?: true;
  readonly vendor?: true;
}

export function addLockCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('lock')
    .description('resolve what a container needs again and write its buildit.lock')
    .argument(
      '<dir>',
      'a directory that holds a container.yaml; with --root one that holds a repository.yaml, with --vendor a pkg.yaml',
    )
    .argument(
      '[name...]',
      'move only these: names of Debian packages, CATEGORY/NAME, or patch URLs; with --vendor versions',
    );
  addContainerOptions(command)
    .option('--root', "move the toolchain and the build and link packages of a repository's recipes")
    .option(
      '--vendor',
      "pin in vendor.lock what a recipe's package-lock.json, Cargo.lock, go.sum or requirements.txt names",
    )
    .option('--json', 'print what changed as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit lock nginx-prod/', 'take the newest packages of the suite'],
        ['buildit lock nginx-prod/ libssl3', 'move libssl3 alone'],
        ['buildit lock --vendor repos/main/app-misc/hexyl', 'pin every crate that its Cargo.lock names'],
        ['buildit lock --root repos/main', 'move the toolchain; every HASH of the repository changes'],
      ),
    )
    .action((directory: string, names: readonly string[], flags: LockFlags) =>
      withSession(cli, flags, async (session) => {
        const { lock, lockVendor } = await import('../../pipeline.ts');
        if (flags.root === true && flags.vendor === true) {
          throw new BuilditError('usage', 'Cannot use --root with --vendor: expected one of them');
        }
        const holds = flags.root === true ? 'repository.yaml' : flags.vendor === true ? 'pkg.yaml' : 'container.yaml';
        const options = await buildOptions(cli, directory, flags, session, { holds });
        const outcome =
          flags.vendor === true
            ? await lockVendor(options, names)
            : await lock(options, { names, root: flags.root === true });
        session.screen.close();
        if (flags.json === true) session.document(outcome);
        else session.result(lockLines(outcome, cli.cwd));
      }),
    );
}

export function lockLines({ path, written, changes }: LockOutcome, cwd: string): string[] {
  if (!written) return [`${shownPath(path, cwd)} is up to date`];
  const rows = changes.map(({ name, from, to }) => [`  ${name}`, `${from ?? '(none)'} → ${to ?? '(none)'}`]);
  return [
    `${shownPath(path, cwd)} written, ${changes.length} changed`,
    ...textTable([{ title: '' }, { title: '' }], rows).slice(1),
  ];
}
