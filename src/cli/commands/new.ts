import { join, relative } from 'node:path';
import { type Command, Option } from 'commander';
import type { NewOptions, NewOutcome, NextCommand } from '../../pipeline/new-run.ts';
import { createWitness } from '../../system/witness.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { shownPath } from '../render-error.ts';
import { configFor, withSession } from '../session.ts';

export function addNewCommand(program: Command, cli: CliContext): void {
  const command = program.command('new').description('write the beginnings of something; nothing is ever overwritten');
  addContainer(command, cli);
  addPackage(command, cli);
  addRepository(command, cli);
}

interface ContainerFlags extends CommonOptions {
  readonly package?: readonly string[];
  readonly image: 'oci' | 'aci';
}

function addContainer(command: Command, cli: CliContext): void {
  const container = command
    .command('container')
    .description('write the smallest directory that builds: a container that says hello')
    .argument('<dir>', 'the directory to write; its name is the name of the container');
  addCommonOptions(container)
    .option('--package <atom...>', 'packages to put into it: CATEGORY/NAME[-VERSION or RANGE] or debian/NAME[=VERSION]')
    .addOption(new Option('--image <type>', 'what is made of it').choices(['oci', 'aci']).default('oci'))
    .addHelpText('after', () =>
      examples(
        ['buildit new container hello', 'write hello/container.yaml'],
        ['buildit hello', 'build it'],
        ['buildit new container web --package www-servers/nginx debian/curl', 'with packages of your choice'],
      ),
    )
    .action((directory: string, flags: ContainerFlags) =>
      runNew(cli, flags, async (options) => {
        const { newContainer } = await import('../../pipeline/new-run.ts');
        return newContainer(options, { directory, packages: flags.package ?? [], image: flags.image });
      }),
    );
}

interface PackageFlags extends CommonOptions {
  readonly from?: string;
}

function addPackage(command: Command, cli: CliContext): void {
  const pkg = command
    .command('pkg')
    .description('write a pkg.yaml: a recipe for a source, or a derivation of what is there')
    .argument('<name>', 'NAME or CATEGORY/NAME, which goes into pkgs/ of the container; or a directory');
  addCommonOptions(pkg)
    .option('--from <what>', 'an https URL or a file with a source, a recipe, or debian:NAME')
    .addHelpText('after', () =>
      examples(
        ['buildit new pkg tini --from https://github.com/krallin/tini/archive/v0.19.0.tar.gz', 'a recipe of your own'],
        ['buildit new pkg nginx --from www-servers/nginx-1.22.1', 'a recipe with patches of yours'],
        ['buildit new pkg redis --from debian:redis', 'a Debian source package with patches of yours'],
      ),
    )
    .action((typed: string, flags: PackageFlags) =>
      runNew(cli, flags, async (options) => {
        const { newPackage } = await import('../../pipeline/new-run.ts');
        return newPackage(options, { typed, from: flags.from });
      }),
    );
}

function addRepository(command: Command, cli: CliContext): void {
  const repository = command
    .command('repository')
    .description('write a repository of recipes with one to begin with')
    .argument('<dir>', 'the directory to write; its name is the name of the repository');
  addCommonOptions(repository)
    .addHelpText('after', () =>
      examples(
        ['buildit new repository recipes', 'write recipes/repository.yaml and a first recipe'],
        ['buildit lock --root recipes', 'pin what its recipes are built with'],
      ),
    )
    .action((directory: string, flags: CommonOptions) =>
      runNew(cli, flags, async (options) => {
        const { newRepository } = await import('../../pipeline/new-run.ts');
        return newRepository(options, directory);
      }),
    );
}

function runNew(
  cli: CliContext,
  flags: CommonOptions,
  write: (options: NewOptions) => Promise<NewOutcome>,
): Promise<void> {
  return withSession(cli, flags, async (session) => {
    const config = await configFor(cli, '.', flags);
    const { cwd, environment } = cli;
    const outcome = await write({ config, context: session.context, witness: createWitness(), cwd, environment });
    session.screen.close();
    session.result(newLines(outcome, cwd));
  });
}

export function newLines({ written, notes, next }: NewOutcome, cwd: string): string[] {
  const { command, effect } = nextCommand(next, cwd);
  return [
    ...written.map((path) => `${shownPath(path, cwd)} written`),
    ...notes.map((note) => `check ${note}`),
    `\`buildit ${command}\` ${effect}`,
  ];
}

function nextCommand(next: NextCommand, cwd: string): { readonly command: string; readonly effect: string } {
  const shown = (directory: string) => (directory === cwd ? '.' : shownPath(directory, cwd));
  switch (next.kind) {
    case 'build':
      return { command: shown(next.directory), effect: 'builds it' };
    case 'lock':
      return { command: `lock --root ${shown(next.directory)}`, effect: 'pins what recipes are built with' };
    case 'add': {
      if (next.directory === '') return { command: `add DIR ${next.atom}`, effect: 'puts it into a container' };
      const isInside = !relative(next.directory, cwd).startsWith('..');
      const atom = isInside ? next.atom : join(next.directory, next.atom);
      return {
        command: `add ${isInside ? '' : `${shown(next.directory)} `}${atom}`,
        effect: 'puts it into the container',
      };
    }
  }
}
