import type { Command } from 'commander';
import { type Finding, isWrong, type PlaceReport } from '../../binhost/place-report.ts';
import type { CliContext } from '../cli-context.ts';
import type { Finish } from '../command-line.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { counted, sizeText } from '../quantities.ts';
import { withSession } from '../session.ts';
import { textTable } from '../text-table.ts';
import { addPlaceArgument, placeRequest, sharingOptions } from './place-options.ts';

/** Something there is damaged, missing or signed by nobody trusted. */
const UNSOUND = 65;
/** What nothing names is no fault: so many of it are shown. */
const MOST_UNREFERENCED = 20;

interface VerifyFlags extends CommonOptions {
  readonly deep?: true;
}

export function addVerify(binhost: Command, cli: CliContext, finish: Finish): void {
  const command = addPlaceArgument(
    binhost.command('verify').description('read everything a binhost holds and say what is wrong; nothing is changed'),
  );
  addCommonOptions(command)
    .option('--deep', 'read every blob too and compare it with its digest')
    .option('--json', 'print {place, generation, packages, containers, blobs, findings, isSound}')
    .addHelpText('after', () =>
      examples(
        [
          'buildit binhost verify',
          `pointer, index, records and signatures; ends with ${UNSOUND} when something is wrong`,
        ],
        ['buildit binhost verify --deep /srv/containers', 'every byte, on the host itself'],
      ),
    )
    .action((typed: string | undefined, flags: VerifyFlags) =>
      withSession(cli, flags, async (session) => {
        const { verifyBinhost } = await import('../../pipeline/binhost-run.ts');
        const options = await sharingOptions(cli, flags, session);
        const report = await verifyBinhost(options, placeRequest(cli, typed), { deep: flags.deep === true });
        session.screen.close();
        if (flags.json === true) session.document(report);
        else session.result(reportLines(report));
        if (!report.isSound) finish(UNSOUND);
      }),
    );
}

export function reportLines(report: PlaceReport & { readonly place: string }): string[] {
  const { place, name, generation, packages, containers, blobs, findings } = report;
  const unreferenced = findings.filter(({ kind }) => kind === 'unreferenced');
  const shown = [
    ...findings.filter(({ kind }) => kind !== 'unreferenced'),
    ...unreferenced.slice(0, MOST_UNREFERENCED),
  ];
  const rows = shown.map(({ kind, path, detail }: Finding) => [kind, path, detail]);
  const more = unreferenced.length - Math.min(unreferenced.length, MOST_UNREFERENCED);
  const wrong = findings.filter(isWrong).length;
  const held = [counted(packages, 'package'), counted(containers, 'container'), counted(blobs.count, 'blob')].join(
    ', ',
  );
  return [
    ...(rows.length === 0 ? [] : textTable([{ title: 'FOUND' }, { title: 'FILE' }, { title: 'WHY' }], rows)),
    ...(more > 0 ? [`and ${more} more that nothing names`] : []),
    `'${name}' at ${place}, generation ${generation}: ${held} of ${sizeText(blobs.bytes)}`,
    wrong === 0 ? 'sound' : `${wrong} wrong`,
  ];
}
