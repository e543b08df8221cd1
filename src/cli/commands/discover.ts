import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Discovery, DiscoveryStep, OfferedRecipes } from '../../discover/discovery.ts';
import { printable } from '../../model/names.ts';
import { temporaryDirectory } from '../../system/user-directories.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { configFor, type Session, withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

export function addDiscoverCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('discover')
    .description('say what a location offers, and how that was found; nothing is kept')
    .argument('<location>', 'as in --discover: LOCATION[,name=…][,ref=…]');
  addCommonOptions(command)
    .option('--json', 'print {location, steps, recipes, binhosts, images, signers} as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit discover github.com/sysadmin42/containers', 'a git repository with a buildit.json'],
        ['buildit discover mysuperbinhost.org/containers', 'a page with discovery tags, or a well-known file'],
      ),
    )
    .action((location: string, flags: CommonOptions) =>
      withSession(cli, flags, async (session) => {
        const discovery = await discoverFor(cli, location, flags, session);
        if (flags.json === true) session.document(discoveryDocument(discovery));
        else session.result(discoveryLines(discovery));
      }),
    );
}

async function discoverFor(
  cli: CliContext,
  location: string,
  flags: CommonOptions,
  session: Session,
): Promise<Discovery> {
  const [{ parseDiscovery }, { discover }, { DiscoveryFailure }, { NOTHING }, { removeTree }] = await Promise.all([
    import('../../discover/parse-discovery.ts'),
    import('../../discover/discover.ts'),
    import('../../discover/discovery.ts'),
    import('../../discover/offered.ts'),
    import('../../system/files.ts'),
  ]);
  const request = parseDiscovery(location);
  const config = await configFor(cli, '.', flags);
  const gitDirectory = mkdtempSync(join(temporaryDirectory(), 'buildit-discover-'));
  try {
    return await discover(request, {
      config,
      directory: cli.cwd,
      gitDirectory,
      environment: cli.environment,
      signal: cli.signal,
    });
  } catch (error) {
    if (flags.json === true && error instanceof DiscoveryFailure) {
      session.document(discoveryDocument({ ...NOTHING, location: error.location, steps: error.steps }));
    }
    throw error;
  } finally {
    await removeTree(gitDirectory);
  }
}

/** Without the directories of this run, which are gone when it ends. */
function discoveryDocument({ recipes, ...discovery }: Discovery): unknown {
  const named = recipes.map(({ name, git, ref, revision, path }) => ({ name, git, ref, revision, path }));
  return { ...discovery, recipes: named };
}

export function discoveryLines({ description, steps, recipes, binhosts, images, signers }: Discovery): string[] {
  const offered = [
    ...recipes.map((offer) => ['recipes', offer.name, recipesPlace(offer)]),
    ...binhosts.map(({ name, downloadType, downloadPath }) => ['binhost', name, `${downloadType}://${downloadPath}`]),
    ...images.map(({ prefix, template }) => ['images', prefix, template]),
    ...signers.map((signer) => ['signer', '', signer]),
  ];
  return [
    ...stepLines(steps),
    '',
    ...(description === undefined ? [] : [printable(description)]),
    ...(offered.length === 0 ? ['Nothing is offered.'] : table(['OFFER', 'NAME', 'WHERE'], offered)),
    ...(signers.length === 0 ? [] : ['A signer counts only with trust=SHA256:… or in your configuration.']),
  ];
}

function stepLines(steps: readonly DiscoveryStep[]): string[] {
  return table(
    ['TRIED', 'ANSWER'],
    steps.map(({ tried, answer }) => [tried, answer]),
  );
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return textTable(
    titles.map((title) => ({ title })),
    rows.map((row) => row.map(printable)),
  );
}

function recipesPlace({ git, ref, revision, path }: OfferedRecipes): string {
  if (git === undefined) return path;
  return [
    `git ${git}`,
    ...(path === '.' ? [] : [`path ${path}`]),
    ...(ref === undefined ? [] : [`ref ${ref}`]),
    ...(revision === undefined ? [] : [`at ${revision.slice(0, 12)}`]),
  ].join(', ');
}
