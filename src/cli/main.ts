import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { BuilditError } from '../model/errors.ts';
import { closeEverything } from '../system/at-end.ts';
import type { CliContext } from './cli-context.ts';
import { createProgram } from './command-line.ts';
import { exitCodeOf } from './exit-code.ts';
import { letGoOfTerminal } from './let-go-of-terminal.ts';
import { outputFailure, readerState } from './output-failure.ts';
import { thisInvocation } from './receipt/receipt.ts';
import { reportFailure } from './report-failure.ts';
import { ciServiceOf, inertStream } from './screen/inert-stream.ts';
import { watchStopSignals } from './stop-signals.ts';
import { drained, textStreamOf } from './text-stream.ts';
import { usageError } from './usage-error.ts';
import { verbFirst } from './verb-first.ts';

/** Runs a command line in this process and gives its exit code. */
export async function main(installation: string, argv: readonly string[]): Promise<number> {
  const stop = watchStopSignals();
  let lostOutput: BuilditError | undefined;
  let hungUp = false;
  const losing = (name: 'standard output' | 'standard error') => (error: NodeJS.ErrnoException) => {
    const state = readerState(error);
    hungUp ||= state === 'hung-up';
    if (state !== 'reading') return;
    lostOutput ??= outputFailure(name, error);
    stop.stop(lostOutput);
  };
  const service = ciServiceOf(argv, process.env);
  const stdout = inertStream(textStreamOf(process.stdout, losing('standard output')), service);
  const commands = textStreamOf(process.stderr, losing('standard error'));
  const stderr = inertStream(commands, service);
  const exits: (() => void)[] = [];
  const runExits = () => {
    for (const callback of exits.splice(0)) callback();
  };
  process.on('exit', runExits);
  const cli: CliContext = {
    ...thisInvocation(argv),
    installation,
    version: packageVersion(installation),
    stdout,
    stderr,
    commands,
    signal: stop.signal,
    stoppedBy: stop.stoppedBy,
    onExit: (callback) => exits.push(callback),
  };
  let exitCode: number;
  try {
    exitCode = await runCommandLine(cli);
  } catch (error) {
    runExits();
    exitCode = reportFailure(cli, lostOutput ?? error);
  }
  runExits();
  await closeEverything();
  await drained(process.stdout);
  // A run that had nothing left to stop ends as if nothing were wrong.
  if (lostOutput !== undefined && exitCode === 0) exitCode = reportFailure(cli, lostOutput);
  await drained(process.stderr);
  if (hungUp || stop.stoppedBy() === 'SIGHUP') letGoOfTerminal();
  stop.release();
  return exitCode;
}

async function runCommandLine(cli: CliContext): Promise<number> {
  let exitCode = 0;
  const program = createProgram(cli, (code) => {
    exitCode = code;
  });
  const argv = verbFirst(cli.argv, program);
  if (argv.length === 0) return showHelpFirst(cli, program);
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const incomplete = error.code === 'commander.help' && program.commands.find((known) => known.name() === argv[0]);
    if (incomplete) return showHelpFirst(cli, incomplete);
    throw usageError(error, program, argv);
  }
  return exitCode;
}

/** What there is, for a command line that ends before it says what to do. */
function showHelpFirst(cli: CliContext, command: Command): number {
  cli.stderr.write(command.helpInformation());
  if (command.parent === null && existsSync(join(cli.cwd, 'container.yaml'))) {
    cli.stderr.write('\nThis directory holds a container.yaml: `buildit .` builds it.\n');
  }
  return exitCodeOf(new BuilditError('usage', 'Cannot run "buildit": expected a directory or a command'));
}

function packageVersion(installation: string): string {
  return (JSON.parse(readFileSync(join(installation, 'package.json'), 'utf8')) as { version: string }).version;
}
