import { Command } from 'commander';
import type { CliContext } from './cli-context.ts';
import { addAddCommand } from './commands/add.ts';
import { addBinhostCommand } from './commands/binhost.ts';
import { addBuildCommand } from './commands/build.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addConfigCommand } from './commands/config.ts';
import { addDiscoverCommand } from './commands/discover.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addFetchCommand } from './commands/fetch.ts';
import { addGcCommand } from './commands/gc.ts';
import { addHashCommand } from './commands/hash.ts';
import { addImportCommand } from './commands/import.ts';
import { addKeyCommand } from './commands/key.ts';
import { addLintCommand } from './commands/lint.ts';
import { addLockCommand } from './commands/lock.ts';
import { addLogCommand } from './commands/log.ts';
import { addNewCommand } from './commands/new.ts';
import { addPatchCommand } from './commands/patch.ts';
import { addPlanCommand } from './commands/plan.ts';
import { addPullCommand } from './commands/pull.ts';
import { addPushCommand } from './commands/push.ts';
import { addRebuildCommand } from './commands/rebuild.ts';
import { addRmCommand } from './commands/rm.ts';
import { addSchemaCommand } from './commands/schema.ts';
import { addSearchCommand } from './commands/search.ts';
import { addShellCommand } from './commands/shell.ts';
import { addShowCommand } from './commands/show.ts';
import { addStoreCommand } from './commands/store.ts';
import { addTestCommand } from './commands/test.ts';
import { addWhyCommand } from './commands/why.ts';
import { examples } from './help-text.ts';

/** Tells the exit code of the verb that ran; a verb that tells nothing ended with 0. */
export type Finish = (exitCode: number) => void;

export type AddCommand = (program: Command, cli: CliContext, finish: Finish) => void;

const COMMANDS: readonly AddCommand[] = [
  addBuildCommand,
  addPlanCommand,
  addRebuildCommand,
  addHashCommand,
  addWhyCommand,
  addLockCommand,
  addFetchCommand,
  addShellCommand,
  addLogCommand,
  addTestCommand,
  addPushCommand,
  addPullCommand,
  addDiscoverCommand,
  addSearchCommand,
  addShowCommand,
  addBinhostCommand,
  addNewCommand,
  addPatchCommand,
  addAddCommand,
  addRmCommand,
  addImportCommand,
  addGcCommand,
  addStoreCommand,
  addKeyCommand,
  addConfigCommand,
  addDoctorCommand,
  addLintCommand,
  addSchemaCommand,
  addCompletionCommand,
];

/** All verbs with their options and help. Nothing is printed by commander itself: errors are thrown, help is returned. */
export function createProgram(cli: CliContext, finish: Finish): Command {
  const program = new Command('buildit');
  program
    .description('Builds container images out of packages: from source, patched, reproducible, without root.')
    .usage('DIR... | COMMAND [OPTIONS]')
    .version(`buildit ${cli.version}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .showSuggestionAfterError(false)
    .addHelpText('after', () =>
      examples(
        ['buildit nginx-prod/', 'build the container in nginx-prod/, the same as `buildit build nginx-prod/`'],
        ['buildit new container hello', 'write the smallest directory that builds'],
        ['buildit doctor', 'see whether this machine can build'],
        ['buildit help build', 'all options of a command'],
      ),
    );
  for (const add of COMMANDS) add(program, cli, finish);
  quieten(program, cli);
  return program;
}

function quieten(command: Command, cli: CliContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => cli.stdout.write(text),
    writeErr: () => undefined,
    getOutHelpWidth: () => Math.min(cli.stdout.size().columns, 100),
  });
  for (const child of command.commands) quieten(child, cli);
}
