import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseServedName } from '../../binhost/served-names.ts';
import { BuilditError } from '../../model/errors.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { configFor, withSession } from '../session.ts';

interface ServeFlags extends CommonOptions {
  readonly port: number;
  readonly name?: readonly string[];
}

const DEFAULT_PORT = 8080;

export function addServe(binhost: Command, cli: CliContext): void {
  const command = binhost
    .command('serve')
    .description('show a binhost over http on this machine alone, for trying things out')
    .argument('[dir]', 'its directory; that of the configured repository without it');
  addCommonOptions(command)
    .addOption(
      new Option('--port <n>', 'where to listen; 0 for any free port').argParser(portNumber).default(DEFAULT_PORT),
    )
    .addOption(
      new Option(
        '--name <host[:port]>',
        'answer requests for this name too, such as that of a proxy in front; localhost, 127.0.0.1 and [::1] always count',
      ).argParser(servedName),
    )
    .addHelpText('after', () =>
      examples(
        ['buildit binhost serve /srv/containers', 'with download-type: http, download-path: 127.0.0.1:8080'],
        ['buildit binhost serve --port 0', 'wherever there is room'],
        ['buildit binhost serve --name shelf.example.org', 'behind a proxy that passes this name on'],
      ),
    )
    .action((directory: string | undefined, flags: ServeFlags) =>
      withSession(cli, flags, async (session) => {
        const { serveDirectory } = await import('../../binhost/serve-directory.ts');
        const served = directory === undefined ? await ownDirectory(cli, flags) : resolve(cli.cwd, directory);
        const server = await serveDirectory(served, { port: flags.port, signal: cli.signal, names: flags.name });
        session.result([`http://127.0.0.1:${server.port}/`]);
        session.remark([`  shows ${served}; Ctrl+C ends it`]);
        await server.closed;
      }),
    );
}

async function ownDirectory(cli: CliContext, flags: ServeFlags): Promise<string> {
  const { repository } = await configFor(cli, '.', flags);
  if (repository?.uploadType === 'file' && repository.uploadPath !== undefined) return repository.uploadPath;
  if (repository?.downloadType === 'file' && repository.downloadPath !== undefined) return repository.downloadPath;
  throw new BuilditError('usage', 'Cannot serve: expected a directory, found none', {
    hint: 'buildit binhost serve DIR; without DIR the configured repository must be of type file',
  });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('expected a number from 0 to 65535.');
  return port;
}

function servedName(text: string, earlier: readonly string[] = []): readonly string[] {
  if (parseServedName(text) === undefined)
    throw new InvalidArgumentError('expected a host name, with or without a port.');
  return [...earlier, text];
}
