import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { BuilditError } from '../model/errors.ts';
import type { EditOutcome } from '../pipeline/edit-run.ts';
import type { CliContext } from './cli-context.ts';
import { buildOptions } from './commands/build.ts';
import { addCommonOptions, type CommonOptions } from './common-options.ts';
import { containerDirectory } from './container-directory.ts';
import { shownPath } from './render-error.ts';
import { withSession } from './session.ts';

export interface EditFlags extends CommonOptions {
  readonly dryRun?: true;
}

export function addEditOptions(command: Command): Command {
  return addCommonOptions(command)
    .option('-n, --dry-run', 'show what would change, and change nothing')
    .option('--json', 'print {path, written, changed, diff, notes} as one JSON document');
}

/** Runs `add` or `rm`: the words are packages, with a container's directory before them or not. */
export function runEdit(
  cli: CliContext,
  words: readonly string[],
  flags: EditFlags,
  verb: 'add' | 'rm',
): Promise<void> {
  return withSession(cli, flags, async (session) => {
    const { addPackages, removePackages } = await import('../pipeline/edit-run.ts');
    const { directory, atoms } = placeOf(cli.cwd, words, verb);
    const options = await buildOptions(cli, directory, flags, session);
    const edit = verb === 'add' ? addPackages : removePackages;
    const outcome = await edit({ ...options, cwd: cli.cwd, dryRun: flags.dryRun === true }, atoms);
    session.screen.close();
    if (flags.json === true) session.document(outcome);
    else session.result(editLines(outcome, verb, cli.cwd));
  });
}

function placeOf(
  cwd: string,
  words: readonly string[],
  verb: 'add' | 'rm',
): { readonly directory: string; readonly atoms: readonly string[] } {
  const [first = '', ...others] = words;
  if (!existsSync(join(resolve(cwd, first), 'container.yaml'))) {
    return { directory: containerDirectory(cwd, undefined).directory, atoms: words };
  }
  if (others.length > 0) return { directory: resolve(cwd, first), atoms: others };
  throw new BuilditError('usage', `Cannot run "buildit ${verb}": expected a package behind the directory, found none`, {
    hint: `buildit ${verb} ${first} debian/curl`,
  });
}

export function editLines({ path, written, changed, diff, notes }: EditOutcome, verb: 'add' | 'rm', cwd: string) {
  const shown = shownPath(path, cwd);
  const done = `${verb === 'add' ? 'added' : 'removed'} ${changed.join(', ')}`;
  const directory = shownPath(path.slice(0, -'/container.yaml'.length), cwd);
  return [
    ...diff,
    ...notes,
    ...(written
      ? [`${shown}: ${done}`, `\`buildit ${directory === cwd ? '.' : directory}\` builds it`]
      : [changed.length === 0 ? `${shown} stays as it is` : `${shown} stays as it is (--dry-run); without: ${done}`]),
  ];
}
