import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { didYouMean } from '../../document/closest-name.ts';
import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import type { CliContext } from '../cli-context.ts';
import { examples } from '../help-text.ts';

const SUFFIX = '.schema.json';

export function addSchemaCommand(program: Command, cli: CliContext): void {
  program
    .command('schema')
    .description('print the JSON Schema of a file that people write; without a name, the names')
    .argument('[name]', 'container, pkg, class, repository, buildit-config or buildit')
    .addHelpText('after', () =>
      examples(
        ['buildit schema container', 'the schema of container.yaml, for an editor'],
        ['buildit schema', 'what there is'],
      ),
    )
    .action(async (name: string | undefined) => {
      const directory = join(cli.installation, 'schemas');
      const names = (await readdir(directory))
        .filter((file) => file.endsWith(SUFFIX))
        .map(withoutSuffix)
        .sort();
      if (name === undefined) return cli.stdout.write(`${names.join('\n')}\n`);
      const wanted = names.find((known) => known === name.replace(/\.ya?ml$/, ''));
      if (wanted === undefined) {
        throw new BuilditError('usage', `Cannot print the schema "${printable(name)}": expected ${names.join(', ')}`, {
          hint: didYouMean(name, names),
        });
      }
      cli.stdout.write(await readFile(join(directory, `${wanted}${SUFFIX}`), 'utf8'));
    });
}

function withoutSuffix(file: string): string {
  return file.slice(0, -SUFFIX.length);
}
