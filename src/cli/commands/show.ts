import type { Command } from 'commander';
import { printable } from '../../model/names.ts';
import { hashAsUuid } from '../../model/package-hash.ts';
import type { Shown, ShownContainer, ShownPackage, ShownSignature } from '../../pipeline/show-run.ts';
import { createWitness } from '../../system/witness.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { sizeText } from '../quantities.ts';
import { recipeLines } from '../recipe-lines.ts';
import { configFor, withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

export function addShowCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('show')
    .description('say all that is known of a recipe, a package or a container, here and at the configured binhosts')
    .argument('<what>', 'a name, NAME-VERSION, the title of a container, or a HASH');
  addCommonOptions(command)
    .option('--json', 'print {recipes, packages, containers} as one JSON document')
    .addHelpText('after', () =>
      examples(
        [
          'buildit show www-servers/nginx',
          'versions, flags, patches, dependencies; every build: HASH, builders, trust',
        ],
        ['buildit show 86c8ef43-f4a4-89ba-a0ee-92900211c7b6', 'one build'],
        ['buildit show Sysadmin42/nginx-production', 'versions, images and packages of a container'],
      ),
    )
    .action((what: string, flags: CommonOptions) =>
      withSession(cli, flags, async (session) => {
        const { show } = await import('../../pipeline/show-run.ts');
        const config = await configFor(cli, '.', flags);
        const shown = await show({ config, context: session.context, witness: createWitness() }, what);
        if (flags.json === true) session.document(shown);
        else session.result(shownLines(shown, cli.cwd));
      }),
    );
}

export function shownLines({ recipes, packages, containers }: Shown, cwd: string): string[] {
  const groups = new Map<string, ShownPackage[]>();
  for (const item of packages) groups.set(item.hash, [...(groups.get(item.hash) ?? []), item]);
  const blocks = [
    ...recipes.map((recipe) => recipeLines(recipe, cwd)),
    ...containers.map(containerLines),
    ...[...groups.values()].map(packageLines),
  ];
  return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

/** One HASH, wherever it is; what differs between places stands in the table. */
function packageLines(places: readonly ShownPackage[]): string[] {
  const { name, version, platform, hash } = places[0]!;
  const rows = places.map(({ place, size, signature, builder, finishedAt }) => [
    place ?? 'here',
    signature === undefined ? '' : signatureText(signature),
    size === undefined ? '' : sizeText(size),
    printable(builder ?? ''),
    shownTime(finishedAt),
  ]);
  const columns = [
    ...['AT', 'SIGNED BY'].map((title) => ({ title })),
    { title: 'SIZE', align: 'right' as const },
    ...['BUILDER', 'BUILT (UTC)'].map((title) => ({ title })),
  ];
  const layers = new Map(places.flatMap((item) => item.layers.map((layer) => [layer.diffId, layer] as const)));
  return [
    `${name}-${version} for ${platform}`,
    `HASH ${hashAsUuid(hash)}`,
    ...[...layers.values()].map(({ output, diffId, size }) => `layer ${output} sha256:${diffId}, ${sizeText(size)}`),
    ...textTable(columns, rows),
  ];
}

function containerLines(container: ShownContainer): string[] {
  const { title, version, platform, place, publishedAt, signature, images, packages } = container;
  return [
    `${title}-${version} for ${platform}`,
    `at '${place}' since ${shownTime(publishedAt)} UTC, signed by ${signatureText(signature)}`,
    ...images.map(({ type, digest, tags, path }) =>
      [`${type} image`, digest, path ?? tags.join(' ')].filter((part) => part !== '').join(' '),
    ),
    ...textTable(
      [{ title: 'PACKAGE' }, { title: 'HASH' }],
      packages.map((item) => [`${item.name}-${item.version}`, hashAsUuid(item.hash)]),
    ),
  ];
}

function signatureText({ principal, fingerprint, state, reason }: ShownSignature): string {
  const who = principal === undefined ? fingerprint : `${printable(principal)} ${fingerprint}`;
  return state === 'trusted' ? `${who}, trusted` : `${who}: ${printable(reason ?? state)}`;
}

function shownTime(time: string | undefined): string {
  return time === undefined ? '' : time.slice(0, 16).replace('T', ' ');
}
