import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseRevisionRange } from '../../discover/revision-range.ts';
import { BuilditError, throwCollected } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import type { AffectedContainer, Cause } from '../../pipeline/find-affected.ts';
import { affectedLines, isAffected, isBuilt } from '../affected-lines.ts';
import { checkDirectory } from '../check-directory.ts';
import type { CliContext } from '../cli-context.ts';
import type { Finish } from '../command-line.ts';
import { examples } from '../help-text.ts';
import { type Session, withSession } from '../session.ts';
import {
  addBuildOptions,
  type BuildFlags,
  buildEach,
  buildOptions,
  optionsAt,
  outcomeDocument,
  refuseWrongFlags,
  showImages,
} from './build.ts';

/** Something would be built; told only when asked for. */
const WOULD_BUILD = 22;

interface RebuildFlags extends BuildFlags {
  readonly affectedBy: string;
  readonly dryRun?: true;
  readonly exitCode?: true;
  readonly force?: true;
}

export function addRebuildCommand(program: Command, cli: CliContext, finish: Finish): void {
  const command = program
    .command('rebuild')
    .description('build again what a package, a file or a range of git revisions affects, and the images of that')
    .argument('[dir...]', 'directories that hold a container.yaml; by default this one, else those right below it');
  addBuildOptions(command)
    .requiredOption(
      '--affected-by <atom|path|rev..rev>',
      "CATEGORY/NAME, debian/NAME, a recipe's file, or git revisions; `REV..` is up to the work tree",
    )
    .option('--force', 'build what is affected although it is there already')
    .option('--dry-run', 'only say what is affected and what would be built')
    .option('--exit-code', `with --dry-run, end with ${WOULD_BUILD} when something would be built`)
    .option('--push', 'publish packages, spec and images to the configured repository')
    .addHelpText('after', () =>
      examples(
        ['buildit rebuild --affected-by=dev-libs/openssl', 'everything below here that has openssl in it'],
        ['buildit rebuild --affected-by=debian/libssl3 --dry-run', 'what a package of Debian is in'],
        ['buildit rebuild --affected-by=pkgs/nginx/patches/fix.patch nginx-prod/', 'what a patch is applied to'],
        ['buildit rebuild --affected-by=HEAD~1..HEAD --push', 'what the last commit changed, from a CI job'],
      ),
    )
    .action((directories: readonly string[], flags: RebuildFlags) =>
      withSession(cli, flags, (session) => rebuild(cli, directories, flags, session, finish), {
        showsTranscript: flags.dryRun !== true,
      }),
    );
}

async function rebuild(
  cli: CliContext,
  typed: readonly string[],
  flags: RebuildFlags,
  session: Session,
  finish: Finish,
): Promise<void> {
  refuseWrongFlags(flags);
  const directories = typed.length > 0 ? typed : containersHere(cli.cwd);
  for (const directory of directories) checkDirectory(cli.cwd, directory, 'container.yaml');
  const containers = await findAll(cli, directories, flags, session);
  const force = flags.force === true;
  const lines = affectedLines(containers, cli.cwd, force);
  if (flags.dryRun === true) {
    session.screen.close();
    if (flags.json === true)
      session.document({ containers: containers.map((found) => affectedDocument(found, force)) });
    else session.result(lines);
    const builds = containers.some(({ steps }) => steps.some((step) => isBuilt(step, force)));
    if (flags.exitCode === true && builds) finish(WOULD_BUILD);
    return;
  }
  session.remark(lines);
  const { outcomes, failures } = await buildAffected(cli, containers.filter(isAffected), flags, session);
  session.screen.close();
  if (flags.json === true) {
    session.document({
      containers: containers.map((found) => ({
        ...affectedDocument(found, force),
        ...outcomes.filter(({ container }) => container.directory === found.directory).map(outcomeDocument)[0],
      })),
    });
  } else showImages(cli, session, flags, outcomes);
  const built = outcomes.reduce((sum, { builtCount }) => sum + builtCount, 0);
  session.remark([`${built} packages built, ${outcomes.length} of ${containers.length} containers made again`]);
  throwCollected(failures);
}

async function findAll(
  cli: CliContext,
  directories: readonly string[],
  flags: RebuildFlags,
  session: Session,
): Promise<readonly AffectedContainer[]> {
  const { compareRevisions, findAffected } = await import('../../pipeline.ts');
  const meant = meaningOf(cli.cwd, flags.affectedBy);
  const absolute = directories.map((directory) => resolve(cli.cwd, directory));
  const compared =
    meant.kind === 'range'
      ? await compareRevisions({
          directories: absolute,
          range: meant.range,
          optionsAt: (directory) => optionsAt(cli, directory, flags, session),
        })
      : undefined;
  const containers: AffectedContainer[] = [];
  for (const [index, directory] of directories.entries()) {
    const cause: Cause = meant.kind === 'range' ? { kind: 'changes', changes: compared!.directories[index]! } : meant;
    containers.push(await findAffected(await buildOptions(cli, directory, flags, session), cause));
  }
  return containers;
}

type Meaning =
  | Exclude<Cause, { readonly kind: 'changes' }>
  | { readonly kind: 'range'; readonly range: ReturnType<typeof parseRevisionRange> };

/** A path that is there, else a range where there are two dots, else the name of a package; a path may be gone. */
function meaningOf(cwd: string, text: string): Meaning {
  const path = resolve(cwd, text);
  if (existsSync(path)) return { kind: 'path', path };
  if (/[^./]\.\./.test(text)) return { kind: 'range', range: parseRevisionRange(text) };
  if (/^\.{0,2}\//.test(text) || text.split('/').length > 2) return { kind: 'path', path };
  if (text.includes('/')) return { kind: 'package', text };
  throw new BuilditError(
    'usage',
    `Cannot rebuild what "${printable(text)}" affects: expected CATEGORY/NAME, a path or a range of git revisions`,
    { hint: 'packages have a category: dev-libs/openssl, debian/libssl3' },
  );
}

async function buildAffected(
  cli: CliContext,
  containers: readonly AffectedContainer[],
  flags: RebuildFlags,
  session: Session,
): ReturnType<typeof buildEach> {
  const { build } = await import('../../pipeline.ts');
  const done = new Set<string>();
  return buildEach(containers, flags, async ({ directory, steps }) => {
    const names = steps.filter(({ hash }) => !done.has(hash)).map(({ name }) => name);
    const options = await buildOptions(cli, directory, flags, session);
    const outcome = await build({ ...options, ...(flags.force === true ? { rebuilt: new Set(names) } : {}) });
    // What was built for one container is there for the next.
    for (const { hash } of steps) done.add(hash);
    return outcome;
  });
}

function affectedDocument({ directory, title, steps, image }: AffectedContainer, force: boolean) {
  return {
    directory,
    title,
    affected: steps.map((step) => ({ ...step, state: isBuilt(step, force) ? 'build' : step.state })),
    image,
  };
}

/** The container at hand, else those in directories right below. */
function containersHere(cwd: string): readonly string[] {
  if (existsSync(join(cwd, 'container.yaml'))) return ['.'];
  const found = readdirSync(cwd, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(cwd, entry.name, 'container.yaml')))
    .map(({ name }) => name)
    .sort();
  if (found.length > 0) return found;
  throw new BuilditError(
    'usage',
    'Cannot rebuild anything here: expected a container.yaml here or right below, found none',
    {
      hint: 'name the directories of containers',
    },
  );
}
