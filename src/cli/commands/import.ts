import { Argument, type Command } from 'commander';
import type { ImportFormat, ImportOutcome } from '../../pipeline/import-run.ts';
import { createWitness } from '../../system/witness.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { shownPath } from '../render-error.ts';
import { configFor, withSession } from '../session.ts';

interface ImportFlags extends CommonOptions {
  readonly out?: string;
  readonly fetch?: true;
}

const FORMATS: readonly ImportFormat[] = ['apkbuild', 'ebuild', 'melange'];

export function addImportCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('import')
    .description("write a first draft of a pkg.yaml out of another system's recipe; nothing of it is run")
    .addArgument(new Argument('<format>', 'what it is').choices(FORMATS))
    .argument('<file>', 'the APKBUILD, NAME-VERSION.ebuild or melange file');
  addCommonOptions(command)
    .option('-o, --out <dir>', 'write pkg.yaml, patches and files there instead of printing pkg.yaml')
    .option('--fetch', 'fetch the sources whose sha256 is not said, compare what is said, and write their sha256')
    .option('--json', 'print {text, written, todos} as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit import apkbuild aports/main/jq/APKBUILD', 'print a draft, and what is left to do'],
        ['buildit import ebuild app-misc/jq/jq-1.7.1.ebuild -o pkgs/jq --fetch', 'write it with its checksums'],
        ['buildit import melange os/jq.yaml -o repos/team/app-misc/jq', 'into a repository'],
      ),
    )
    .action((format: ImportFormat, file: string, flags: ImportFlags) =>
      withSession(cli, flags, async (session) => {
        const { importRecipe } = await import('../../pipeline/import-run.ts');
        const config = await configFor(cli, '.', flags);
        const { cwd, environment } = cli;
        const options = { config, context: session.context, witness: createWitness(), cwd, environment };
        const request = { format, file, output: flags.out, fetch: flags.fetch === true };
        const outcome = await importRecipe(options, request);
        session.screen.close();
        if (flags.json === true) session.document(outcome);
        else {
          session.result(flags.out === undefined ? [outcome.text.trimEnd()] : writtenLines(outcome, cwd));
          session.remark(todoLines(outcome));
        }
      }),
    );
}

function writtenLines({ written }: ImportOutcome, cwd: string): string[] {
  return written.map((path) => `${shownPath(path, cwd)} written`);
}

export function todoLines({ todos }: ImportOutcome): string[] {
  if (todos.length === 0) return ['Nothing was left untranslated; read it nevertheless.'];
  return [`${todos.length} left to do, each marked TODO(import):`, ...todos.map(({ at, text }) => `  ${at}: ${text}`)];
}
