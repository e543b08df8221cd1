import type { Command } from 'commander';
import { containerTitle } from '../../binhost/container-entry.ts';
import { hashAsUuid } from '../../model/package-hash.ts';
import type { PlaceContent } from '../../pipeline/binhost-run.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { counted, sizeText } from '../quantities.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { addPlaceArgument, placeRequest, sharingOptions } from './place-options.ts';

export function addList(binhost: Command, cli: CliContext): void {
  const command = addPlaceArgument(binhost.command('ls').description('list what a binhost holds'));
  addCommonOptions(command)
    .option('--json', 'print {place, identity, generation, content, pins} as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit binhost ls', 'the configured repository'],
        ['buildit binhost ls /srv/containers', 'a directory'],
      ),
    )
    .action((typed: string | undefined, flags: CommonOptions) =>
      withSession(cli, flags, async (session) => {
        const { listBinhost } = await import('../../pipeline/binhost-run.ts');
        const listed = await listBinhost(await sharingOptions(cli, flags, session), placeRequest(cli, typed));
        if (flags.json === true) session.document(listed);
        else session.result(listLines(listed));
      }),
    );
}

export function listLines({ place, identity, generation, content, pins }: PlaceContent): string[] {
  const pinned = new Set(pins.map(({ digest }) => digest));
  const mark = (digest: string) => (pinned.has(digest) ? 'pinned' : '');
  const containers = content.containers.map((entry) => [
    'container',
    `${containerTitle(entry)}-${entry.version}`,
    entry.platform,
    `${entry.time.slice(0, 16).replace('T', ' ')} UTC`,
    '',
    entry.key.slice(0, 12),
    mark(entry.document.digest),
  ]);
  const packages = content.packages.map((entry) => [
    'package',
    `${entry.name}-${entry.version}`,
    entry.platform,
    hashAsUuid(entry.hash),
    sizeText(entry.size),
    entry.key.slice(0, 12),
    mark(entry.hash),
  ]);
  const rows = [...containers, ...packages].sort((a, b) => (`${a}` < `${b}` ? -1 : 1));
  const columns = [
    ...['KIND', 'NAME', 'PLATFORM', 'HASH OR TIME'].map((title) => ({ title })),
    { title: 'SIZE', align: 'right' as const },
    ...['KEY', ''].map((title) => ({ title })),
  ];
  const held = `${counted(content.packages.length, 'package')}, ${counted(content.containers.length, 'container')}`;
  const summary = `'${identity.name}' at ${place}, generation ${generation}: ${held}`;
  return [...(rows.length === 0 ? [] : textTable(columns, rows)), summary];
}
