import { resolve } from 'node:path';
import type { Command } from 'commander';
import { findConfigFiles } from '../../config/config-files.ts';
import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import { shownName } from '../../model/shown-name.ts';
import type { PulledSpec, PullOptions } from '../../pipeline/pull-run.ts';
import { createWitness } from '../../system/witness.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { imageLines } from '../image-lines.ts';
import { shownPath } from '../render-error.ts';
import { configFor, type Session, withSession } from '../session.ts';

interface PullFlags extends CommonOptions {
  readonly image?: true;
  readonly from?: string;
  readonly platform?: string;
  readonly output?: readonly string[];
}

export function addPullCommand(program: Command, cli: CliContext): void {
  const command = program
    .command('pull')
    .description('fetch the spec of a published container into a new directory, or its image')
    .argument('<container>', 'TITLE, TITLE-VERSION or TITLE:VERSION, such as Sysadmin42/nginx-production')
    .argument('[dir]', "where it goes; the container's name without it");
  addCommonOptions(command)
    .option('--image', 'fetch the image as it was published, instead of what it is built from')
    .option('--from <name>', 'ask this binhost alone')
    .option('--platform <os/arch>', "the container for this platform instead of the machine's own")
    .option('--output <type=…,dest=…>', 'write the image as oci or aci; means --image', collected)
    .option('--json', 'print one JSON document about what was fetched')
    .addHelpText('after', () =>
      examples(
        ['buildit pull Sysadmin42/nginx-production', 'the latest spec, into nginx-production/'],
        ['buildit pull nginx-production-1.7.6-p1 old/', 'a version, into old/; `buildit old/` builds the same HASHes'],
        ['buildit pull --image nginx-production nginx-image/', 'an OCI image layout, nothing is built'],
        ['buildit pull nginx-production --output type=aci,dest=nginx.aci', 'the ACI'],
      ),
    )
    .action((what: string, directory: string | undefined, flags: PullFlags) =>
      withSession(cli, flags, async (session) => {
        refuseOffline(flags, what);
        const options: PullOptions = {
          ...{ what, from: flags.from, platform: flags.platform, cwd: cli.cwd },
          directory: directory === undefined ? undefined : resolve(cli.cwd, directory),
          config: await configFor(cli, '.', flags),
          context: session.context,
          witness: createWitness(),
        };
        if (flags.image === true || flags.output !== undefined) await showImage(cli, options, flags, session);
        else await showSpec(cli, options, flags, session);
      }),
    );
}

function collected(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

function refuseOffline({ offline }: PullFlags, what: string): void {
  if (offline !== true) return;
  throw new BuilditError('usage', `Cannot pull "${printable(what)}": expected a network, found --offline`);
}

async function showImage(cli: CliContext, options: PullOptions, flags: PullFlags, session: Session): Promise<void> {
  const { pullImage } = await import('../../pipeline/pull-run.ts');
  const pulled = await pullImage({ ...options, outputs: flags.output ?? [] });
  const images = pulled.images.map((image) => ({ ...image, label: pulled.title }));
  if (flags.json === true) session.document({ ...pulled, images: images.map(({ blobs: _, ...image }) => image) });
  else session.result(imageLines(images, cli.cwd));
}

async function showSpec(cli: CliContext, options: PullOptions, flags: PullFlags, session: Session): Promise<void> {
  const { pullSpec } = await import('../../pipeline/pull-run.ts');
  const pulled = await pullSpec(options);
  if (flags.json === true) return session.document(pulled);
  session.result([specLine(cli, pulled)]);
  session.remark([
    `  buildit ${printable(shownPath(pulled.directory, cli.cwd))} builds it`,
    ...settingsLines(cli, pulled),
  ]);
}

/** Which files decide in the new directory: the spec's own recipes, everything else as around it. */
function settingsLines(cli: CliContext, { directory }: PulledSpec): readonly string[] {
  const files = findConfigFiles(directory, cli.environment);
  const shown = (kind: string) =>
    files.filter((file) => file.kind === kind).map(({ path }) => shownName(shownPath(path, cli.cwd)));
  const [spec] = shown('spec');
  if (spec === undefined) return [];
  const others = files.flatMap(({ kind }) => (kind === 'spec' ? [] : shown(kind)));
  const rest = others.length === 0 ? 'buildit itself' : others.join(' and ');
  return [`  recipes: ${spec}; all other settings: ${rest}`];
}

function specLine(cli: CliContext, { title, version, place, directory, files }: PulledSpec): string {
  const shown = printable(shownPath(directory, cli.cwd));
  return `${shown}: ${title}-${version} from '${place}', ${files} file${files === 1 ? '' : 's'}`;
}
