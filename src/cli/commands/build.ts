import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseDiscovery } from '../../discover/parse-discovery.ts';
import { didYouMean } from '../../document/closest-name.ts';
import { append } from '../../model/append.ts';
import { containerTitle } from '../../model/container.ts';
import { BuilditError, BuilditErrors, throwCollected } from '../../model/errors.ts';
import type { BuilditEvent } from '../../model/events.ts';
import { printable } from '../../model/names.ts';
import type { BuildOptions, BuildOutcome } from '../../pipeline/contract.ts';
import { createWitness, type Witness } from '../../system/witness.ts';
import { checkDirectory } from '../check-directory.ts';
import type { CliContext } from '../cli-context.ts';
import { coloursFor } from '../colours.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { imageLines } from '../image-lines.ts';
import { renderSecondRun } from '../receipt/second-run.ts';
import { writeReceipt } from '../receipt/write-receipt.ts';
import { ciServiceOf } from '../screen/inert-stream.ts';
import { configFor, type Session, withSession } from '../session.ts';

export interface BuildFlags extends ContainerOptions {
  readonly output?: readonly string[];
  readonly tag?: readonly string[];
  readonly fromSource?: true;
  readonly verify?: true;
  readonly binaryOnly?: true;
  readonly keepGoing?: true;
  readonly keepFailed?: true;
  readonly check?: true;
  readonly test?: boolean;
  readonly push?: true;
}

export function addBuildCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('build', { isDefault: true })
    .description('build the images of container directories; `buildit DIR` means this')
    .argument('<dir...>', 'directories that hold a container.yaml');
  addBuildOptions(command)
    .option('--push', 'publish packages, spec and images to the configured repository')
    .addHelpText('after', () =>
      examples(
        ['buildit nginx-prod/', 'build it; the images are in nginx-prod/out/'],
        ['buildit nginx-prod/ --discover=github.com/sysadmin42/containers,push=True', 'with what a location offers'],
        ['buildit build --locked --offline nginx-prod/', 'build exactly what the lock says, without network'],
        ['buildit build --push nginx-prod/', 'share what was built with everyone who reads the repository'],
        ['buildit build -k nginx-prod/ mail/', 'build all that can be built, and show all failures at the end'],
        [
          'buildit build --output type=docker,dest=nginx.tar nginx-prod/',
          'an archive for `docker load` and `podman load`',
        ],
      ),
    )
    .action((directories: readonly string[], flags: BuildFlags) => buildAll(cli, program, directories, flags));
}

/** Options of every verb that builds. */
export function addBuildOptions(command: Command): Command {
  return addContainerOptions(command)
    .option('--output <type=…,dest=…>', 'write another kind of result: oci, docker, aci or tar', collected)
    .option(
      '--tag <name>',
      'tag the OCI image so instead of by its version: 1.0, or registry.example/team/web:1.0',
      collected,
    )
    .option('--from-source', 'build every package here, whatever a cache holds')
    .option('--binary-only', 'build no package here: fail where none is found')
    .option('-k, --keep-going', 'after a failure, build everything that does not depend on it; fail at the end')
    .option('--keep-failed', "keep a failed build's files for `buildit shell --failed`")
    .option('--check', "run upstream's own tests of every package that is built")
    .option('--no-test', 'run no tests: neither of packages that are built nor of the container')
    .option('--verify', 'compare all files by content, also unpacked packages, even if nothing seems to have changed')
    .option('--json', 'print one JSON document about the images');
}

function collected(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

export async function buildAll(
  cli: CliContext,
  program: Command,
  directories: readonly string[],
  flags: BuildFlags,
): Promise<void> {
  refuseMistypedVerb(cli, program, directories[0]!);
  refuseWrongFlags(flags);
  const run = async (session: Session) => {
    const witness = createWitness();
    const { outcomes, failures } = await buildEach(directories, flags, async (directory) =>
      buildOne(await buildOptions(cli, directory, flags, session, { witness })),
    );
    session.screen.close();
    if (failures.length === 0 || outcomes.length > 0) {
      if (flags.json === true) session.document({ containers: outcomes.map(outcomeDocument) });
      else showImages(cli, session, flags, outcomes);
    }
    throwCollected(failures);
    await keepReceipt(cli, flags, session.events, witness, outcomes);
  };
  await withSession(cli, flags, run, { showsTranscript: true });
}

/** Builds one after the other; with --keep-going the others too where one fails, and answers the failures. */
export async function buildEach<Item>(
  items: readonly Item[],
  { keepGoing }: BuildFlags,
  build: (item: Item) => Promise<BuildOutcome>,
): Promise<{ readonly outcomes: readonly BuildOutcome[]; readonly failures: readonly BuilditError[] }> {
  const outcomes: BuildOutcome[] = [];
  const failures: BuilditError[] = [];
  for (const item of items) {
    try {
      outcomes.push(await build(item));
    } catch (error) {
      const found = error instanceof BuilditErrors ? error.errors : error instanceof BuilditError ? [error] : [];
      if (keepGoing !== true || found.length === 0 || found.some(({ code }) => code === 'interrupted')) throw error;
      append(failures, found);
    }
  }
  return { outcomes, failures };
}

async function buildOne(options: BuildOptions): Promise<BuildOutcome> {
  const { build } = await import('../../pipeline.ts');
  return build(options);
}

/** What a verb that works on a container directory gives to the pipeline. */
export async function buildOptions(
  cli: CliContext,
  directory: string,
  flags: BuildFlags,
  session: Session,
  { witness = createWitness(), holds = 'container.yaml' }: { witness?: Witness; holds?: string } = {},
): Promise<BuildOptions> {
  checkDirectory(cli.cwd, directory, holds);
  return optionsAt(cli, directory, flags, session, witness);
}

/** The same for a directory that was looked at already, or is a copy of one that was. */
export async function optionsAt(
  cli: CliContext,
  directory: string,
  flags: BuildFlags,
  session: Session,
  witness: Witness = createWitness(),
): Promise<BuildOptions> {
  const discover = (flags.discover ?? []).map(parseDiscovery);
  const config = await configFor(cli, directory, flags, witness);
  for (const text of config.notices ?? []) session.context.emit({ kind: 'notice', text });
  return {
    directory: resolve(cli.cwd, directory),
    config,
    context: session.context,
    witness,
    platform: flags.platform,
    locked: flags.locked === true || flags.frozen === true,
    frozen: flags.frozen === true,
    fromSource: flags.fromSource === true,
    verify: flags.verify === true,
    binaryOnly: flags.binaryOnly === true,
    keepGoing: flags.keepGoing === true,
    check: flags.check === true,
    test: flags.test !== false,
    outputs: flags.output ?? [],
    tag: flags.tag ?? [],
    push: flags.push === true || discover.some(({ push }) => push),
    discover,
  };
}

/** `buildit biuld` would be the directory `biuld`: where there is none, the verb was meant. */
function refuseMistypedVerb(cli: CliContext, program: Command, directory: string): void {
  if (
    cli.argv.includes('build') ||
    cli.argv.includes('push') ||
    directory.includes('/') ||
    existsSync(resolve(cli.cwd, directory))
  )
    return;
  const verbs = program.commands.map((command) => command.name());
  throw new BuilditError(
    'usage',
    `Cannot run "${printable(directory)}": expected a command or a directory, found neither`,
    { hint: didYouMean(directory, verbs) ?? '`buildit --help` lists the commands' },
  );
}

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;

export function refuseWrongFlags({ fromSource, binaryOnly, push, offline, frozen, tag = [] }: BuildFlags): void {
  if (push === true && (offline === true || frozen === true)) {
    throw new BuilditError('usage', 'Cannot publish: expected a network with --push, found --offline');
  }
  if (fromSource === true && binaryOnly === true) {
    throw new BuilditError('usage', 'Cannot build: expected one of --from-source and --binary-only, found both');
  }
  const wrong = tag.find((text) => !TAG.test(text));
  if (wrong === undefined) return;
  throw new BuilditError(
    'usage',
    `Cannot use --tag "${printable(wrong)}": expected a tag of letters, digits, ".", "_" and "-"`,
    { hint: 'the tag alone: the name of an image is given where it is pushed or loaded to' },
  );
}

/** Results go to standard output only when nothing else does, so that the transcript stays what it is. */
export function showImages(
  cli: CliContext,
  session: Session,
  flags: BuildFlags,
  outcomes: readonly BuildOutcome[],
): void {
  const lines = outcomes.flatMap(({ images }) => imageLines(images, cli.cwd));
  if (flags.quiet === true || flags.progress === 'json') session.result(lines);
  else session.remark(lines.map((line) => `  ${line}`));
}

export function outcomeDocument({ container, images, builtCount }: BuildOutcome) {
  return {
    title: containerTitle(container),
    directory: container.directory,
    platform: `${container.platform.os}/${container.platform.architecture}`,
    packagesBuilt: builtCount,
    images,
  };
}

/** A run that built something may have warned of what is over now: only a quiet run's warnings are said again. */
async function keepReceipt(
  cli: CliContext,
  flags: BuildFlags,
  events: readonly BuilditEvent[],
  witness: Witness,
  outcomes: readonly BuildOutcome[],
): Promise<void> {
  // What lies at a place is looked at every time that somebody asks to publish there.
  if (flags.push === true || (flags.discover ?? []).some((text) => parseDiscovery(text).push)) return;
  const warned = events.some((event) => event.kind === 'warning');
  if (warned && outcomes.some(({ builtCount }) => builtCount > 0)) return;
  const lines = outcomes.flatMap(({ images }) => imageLines(images, cli.cwd));
  const printed = renderSecondRun(events, lines, {
    quiet: flags.quiet === true,
    colours: coloursFor(cli.stderr.isTerminal, cli.environment),
    service: ciServiceOf(cli.argv, cli.environment),
  });
  const expiries = outcomes.flatMap(({ expiresMs }) => expiresMs ?? []);
  await writeReceipt(cli.installation, cli, {
    ...printed,
    sightings: witness.sightings(),
    images: outcomes.flatMap(({ images }) => images.flatMap(layoutOf)),
    expiresMs: expiries.length === 0 ? undefined : Math.min(...expiries),
  });
}

function layoutOf({ kind, path, digest }: BuildOutcome['images'][number]) {
  return kind === 'oci' && digest !== undefined && !path.endsWith('.tar')
    ? [{ index: join(path, 'index.json'), digest }]
    : [];
}
