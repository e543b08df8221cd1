import { resolve } from 'node:path';
import type { Command } from 'commander';
import { printable } from '../../model/names.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { configRows } from '../config-rows.ts';
import { examples } from '../help-text.ts';
import { shownPath } from '../render-error.ts';
import { configFor, withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

interface ShowFlags extends CommonOptions {
  readonly origin?: true;
}

export function addConfigCommand(program: Command, cli: CliContext): void {
  const command = program.command('config').description('see the settings that count, and trust a configuration file');
  addShow(command, cli);
  addTrust(command, cli);
}

function addShow(config: Command, cli: CliContext): void {
  const command = config
    .command('show')
    .description('print every setting that counts in a directory')
    .argument('[dir]', 'the directory', '.');
  addCommonOptions(command)
    .option('--origin', 'say where each setting comes from: a file, a variable, a flag')
    .option('--json', 'print them as one JSON document')
    .addHelpText('after', () => examples(['buildit config show --origin nginx-prod/', 'who decided what']))
    .action((directory: string, flags: ShowFlags) =>
      withSession(cli, flags, async (session) => {
        const config = await configFor(cli, directory, flags);
        if (flags.json === true) return session.document(config);
        const columns = [
          { title: 'SETTING' },
          { title: 'VALUE' },
          ...(flags.origin === true ? [{ title: 'FROM' }] : []),
        ];
        session.result(textTable(columns, configRows(config)));
        for (const text of config.notices ?? []) cli.stderr.write(`note: ${printable(text)}\n`);
      }),
    );
}

function addTrust(config: Command, cli: CliContext): void {
  const command = config
    .command('trust')
    .description('let a .buildit-config.yaml inside a project decide more than names and places, as it is now')
    .argument('<file>', 'the configuration file');
  addCommonOptions(command)
    .addHelpText('after', () =>
      examples(['buildit config trust ./.buildit-config.yaml', 'a changed file must be trusted again']),
    )
    .action(async (file: string) => {
      const { trustConfigFile } = await import('../../config/trusted-configs.ts');
      const path = resolve(cli.cwd, file);
      await trustConfigFile(path, cli.environment);
      cli.stdout.write(`${shownPath(path, cli.cwd)} is trusted as it is now\n`);
    });
}
