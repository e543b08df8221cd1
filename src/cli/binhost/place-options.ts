import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { PlaceRequest } from '../../pipeline/managed-place.ts';
import type { SharingOptions } from '../../pipeline/open-cache.ts';
import { createWitness } from '../../system/witness.ts';
import type { CliContext } from '../cli-context.ts';
import type { CommonOptions } from '../common-options.ts';
import { configFor, type Session } from '../session.ts';

export const PLACE_MEANING = 'a configured binhost by its name, or a directory; the configured repository without it';

/** The last argument of the verbs that look after a binhost. */
export function addPlaceArgument(command: Command): Command {
  return command.argument('[place]', PLACE_MEANING);
}

export function placeRequest(cli: CliContext, typed: string | undefined): PlaceRequest {
  return { typed, directory: resolve(cli.cwd, typed ?? '.') };
}

export async function sharingOptions(cli: CliContext, flags: CommonOptions, session: Session): Promise<SharingOptions> {
  return { config: await configFor(cli, '.', flags), context: session.context, witness: createWitness() };
}
