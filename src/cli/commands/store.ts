import type { Command } from 'commander';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { sizeText } from '../quantities.ts';
import { configFor, withSession } from '../session.ts';
import { textTable } from '../text-table.ts';

const MEANINGS: Readonly<Record<string, string>> = {
  blobs: 'layers, sources, patches, packages as fetched',
  trees: 'packages, unpacked',
  roots: 'build roots, linked from trees',
  records: 'what each build gave',
  'build-keys': 'builds by what went into them',
  encodings: 'layers by how they are compressed',
  notes: 'small facts about files from elsewhere',
  uses: 'what out/ directories and locks refer to',
  failed: 'failed builds, kept with --keep-failed',
  temporary: 'work in progress',
};

export function addStoreCommand(program: Command, cli: CliContext): void {
  const command = program.command('store').description('say where the store is and what takes how much of it');
  addCommonOptions(command)
    .option('--json', 'print it as one JSON document')
    .addHelpText('after', () =>
      examples(['buildit store', 'sizes by kind'], ['buildit gc --dry-run', 'how much of it nobody needs']),
    )
    .action((flags: CommonOptions) =>
      withSession(cli, flags, async (session) => {
        const [{ openStore }, { storeUsage }, { listRoots }, { freeBytes }] = await Promise.all([
          import('../../store/store.ts'),
          import('../../store/store-usage.ts'),
          import('../../store/remembered-roots.ts'),
          import('../../system/files.ts'),
        ]);
        const store = await openStore((await configFor(cli, '.', flags)).store);
        const usage = await storeUsage(store);
        const roots = listRoots(store).map(({ path, isThere }) => ({ path, isThere }));
        const free = await freeBytes(store.directory);
        if (flags.json === true)
          return session.document({ directory: store.directory, ...usage, freeBytes: free, roots });
        const rows = usage.categories
          .filter(({ count }) => count > 0)
          .map(({ category, count, bytes }) => [category, String(count), sizeText(bytes), MEANINGS[category] ?? '']);
        session.result([
          ...textTable(
            [
              { title: 'KIND' },
              { title: 'COUNT', align: 'right' },
              { title: 'SIZE', align: 'right' },
              { title: 'WHAT IT IS' },
            ],
            rows,
          ),
          `${sizeText(usage.bytes)} in ${store.directory}, ${sizeText(free)} free on its disk`,
          `${roots.filter(({ isThere }) => isThere).length} out/ directories and locks refer to it`,
        ]);
      }),
    );
}
