import { resolve } from 'node:path';
import type { Config, RunContext } from '../model/config.ts';
import type { BuilditEvent } from '../model/events.ts';
import type { Witness } from '../system/witness.ts';
import { passphraseQuestion } from './ask-passphrase.ts';
import type { CliContext } from './cli-context.ts';
import { coloursFor } from './colours.ts';
import type { CommonOptions, ContainerOptions } from './common-options.ts';
import { boundedEvent } from './screen/bounded-event.ts';
import { createScreen, type Screen } from './screen/create-screen.ts';
import { inertJson } from './screen/inert-stream.ts';
import { progressMode } from './screen/progress-mode.ts';
import { silentStream } from './text-stream.ts';

/** One run of a verb: where it tells what happens, and where its result goes. */
export interface Session {
  readonly context: RunContext;
  readonly screen: Screen;
  /** All events so far that a receipt needs; logs and progress are not kept. */
  readonly events: readonly BuilditEvent[];
  /** Writes lines of the result to standard output. */
  result(lines: readonly string[]): void;
  /** Writes the one document of a `--json` run to standard output. */
  document(value: unknown): void;
  /** Writes lines for a person beside the result, unless quiet. */
  remark(lines: readonly string[]): void;
}

/**
 * Runs a verb with its screen, which is closed however it ends. Only a build shows the transcript; the others show
 * messages and what takes long.
 */
export async function withSession<Result>(
  cli: CliContext,
  options: CommonOptions,
  run: (session: Session) => Promise<Result>,
  { showsTranscript = false } = {},
): Promise<Result> {
  const screen = screenFor(cli, options, showsTranscript);
  cli.onExit(() => screen.close());
  const events: BuilditEvent[] = [];
  const emit = (given: BuilditEvent) => {
    const event = boundedEvent(given);
    if (!event.kind.startsWith('task-')) events.push(event);
    screen.emit(event);
  };
  const write = (stream: CliContext['stdout'], lines: readonly string[]) => {
    if (lines.length > 0) screen.around(() => stream.write(`${lines.join('\n')}\n`));
  };
  const remark = (lines: readonly string[]) => {
    if (options.quiet !== true && options.progress !== 'json') write(cli.stderr, lines);
  };
  // Output that goes away stops a run as well, without a signal.
  const onStop = () => {
    const signal = cli.stoppedBy();
    if (signal !== undefined) remark([`Stopping (${signal}); once more to stop at once`]);
  };
  cli.signal.addEventListener('abort', onStop);
  try {
    return await run({
      context: { signal: cli.signal, emit, ask: passphraseQuestion(cli) },
      screen,
      events,
      result: (lines) => write(cli.stdout, lines),
      document: (value) => write(cli.stdout, [inertJson(value, 2)]),
      remark,
    });
  } finally {
    cli.signal.removeEventListener('abort', onStop);
    screen.close();
  }
}

function screenFor(
  cli: CliContext,
  { progress, quiet, verbose, json }: CommonOptions,
  showsTranscript: boolean,
): Screen {
  const transcript = json === true ? cli.stderr : cli.stdout;
  return createScreen({
    mode: progressMode(progress, cli.stderr.isTerminal, cli.environment),
    quiet: quiet === true,
    verbose: verbose === true,
    transcript: showsTranscript ? transcript : silentStream,
    errors: cli.stderr,
    commands: cli.commands,
    colours: coloursFor(cli.stderr.isTerminal, cli.environment),
    unicode: /utf-?8/i.test(localeOf(cli.environment)),
  });
}

function localeOf(environment: CliContext['environment']): string {
  return environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
}

/** The configuration that counts for a directory, with the command line's flags on top. */
export async function configFor(
  cli: CliContext,
  directory: string,
  options: ContainerOptions & { readonly keepFailed?: true },
  witness?: Witness,
): Promise<Config> {
  const { loadConfig } = await import('../config/load-config.ts');
  return loadConfig({
    directory: resolve(cli.cwd, directory),
    environment: cli.environment,
    witness,
    flags: {
      store: options.store === undefined ? undefined : resolve(cli.cwd, options.store),
      jobs: options.jobs,
      keepFailed: options.keepFailed,
      userPatches: options.userPatches,
      offline: options.offline === true || options.frozen === true ? true : undefined,
    },
  });
}
