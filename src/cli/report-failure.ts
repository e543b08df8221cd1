import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { CliContext } from './cli-context.ts';
import { coloursFor } from './colours.ts';
import { exitCodeOf, exitCodeOfSignal } from './exit-code.ts';
import { type ErrorStyle, renderBug, renderError, shownPath } from './render-error.ts';
import { githubText, stoppedCommands } from './screen/ci-log-groups.ts';
import { inertJson } from './screen/inert-stream.ts';
import { PROGRESS_MODES, type ProgressMode, progressMode } from './screen/progress-mode.ts';
import { understoodErrors } from './understood-error.ts';

/**
 * Says what went wrong, after the view is gone, and gives the exit code. After an interrupt only that is said: whatever
 * failed then failed because of it.
 */
export function reportFailure(cli: CliContext, error: unknown): number {
  const stoppedBy = cli.stoppedBy();
  const mode = modeOf(cli);
  if (stoppedBy !== undefined) {
    if (mode !== 'json') cli.stderr.write('Interrupted: nothing half done was left behind.\n');
    return exitCodeOfSignal(stoppedBy);
  }
  const errors = fewErrors(understoodErrors(error));
  const lines = errors === undefined ? renderBug(error, cli.version, styleOf(cli)) : errorLines(errors, mode, cli);
  const frame = mode === 'github' ? stoppedCommands() : undefined;
  if (frame !== undefined) cli.commands.write(`${frame.begin}\n`);
  cli.stderr.write(`${lines.join('\n')}\n`);
  if (frame !== undefined) {
    const annotations = (errors ?? []).map((each) => githubAnnotation(each, cli.cwd));
    cli.commands.write(`${[frame.end, ...annotations].join('\n')}\n`);
  }
  return exitCodeOf(errors?.[0] ?? error);
}

const MOST_ERRORS = 50;

/** The first ones, and how many more there are: a hostile file has as many mistakes as it likes. */
function fewErrors(errors: readonly BuilditError[] | undefined): readonly BuilditError[] | undefined {
  if (errors === undefined || errors.length <= MOST_ERRORS) return errors;
  const left = errors.length - MOST_ERRORS;
  return [...errors.slice(0, MOST_ERRORS), new BuilditError(errors[0]!.code, `Cannot show ${left} more errors here`)];
}

function errorLines(errors: readonly BuilditError[], mode: ProgressMode, cli: CliContext): string[] {
  if (mode === 'json') return errors.map(jsonLine);
  return errors.flatMap((error) => renderError(error, styleOf(cli)));
}

const MOST_EXCERPT = 400;

function jsonLine({ code, message, hint, details, position: place }: BuilditError): string {
  const position = place && { ...place, excerpt: place.excerpt?.slice(0, MOST_EXCERPT) };
  return inertJson({ time: new Date().toISOString(), kind: 'error', code, message, hint, details, position });
}

/** A workflow command that shows the error beside the line it is about; `:` and `,` in properties are encoded too. */
function githubAnnotation({ message, position }: BuilditError, cwd: string): string {
  if (position === undefined) return `::error::${githubText(printable(message))}`;
  const file = githubText(shownPath(position.file, cwd)).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::error file=${file},line=${position.line},col=${position.column}::${githubText(printable(message))}`;
}

function styleOf(cli: CliContext): ErrorStyle {
  return {
    colours: coloursFor(cli.stderr.isTerminal, cli.environment),
    cwd: cli.cwd,
    verbose: cli.argv.includes('-v') || cli.argv.includes('--verbose'),
  };
}

/** Read from the arguments as they are: the error may be that they cannot be understood. */
function modeOf({ argv, stderr, environment }: CliContext): ProgressMode {
  const index = argv.findLastIndex((argument) => argument === '--progress' || argument.startsWith('--progress='));
  const typed = index < 0 ? undefined : (argv[index]!.split('=')[1] ?? argv[index + 1]);
  const choice = PROGRESS_MODES.find((known) => known === typed) ?? 'auto';
  return progressMode(choice, stderr.isTerminal, environment);
}
