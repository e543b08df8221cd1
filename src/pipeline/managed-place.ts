import { stat } from 'node:fs/promises';
import { type BinhostIdentity, readIdentity } from '../binhost/binhost-identity.ts';
import type { CommitOptions } from '../binhost/commit-entries.ts';
import type { TrustPolicy } from '../binhost/read-pointer.ts';
import { didYouMean } from '../document/closest-name.ts';
import type { BinhostConfig } from '../model/config.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { openWriter, type WriteLocation } from '../remote/open-place.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import { openSigner } from '../signing/open-signer.ts';
import { findHome } from '../system/user-directories.ts';
import { readUserTrust, type SharingOptions, trustAt } from './open-cache.ts';
import { answerOrNothing, noSigner, orOwn } from './publish-run.ts';

/** A binhost as its keeper typed it: nothing for the configured repository, the name of a configured one, a directory. */
export interface PlaceRequest {
  readonly typed: string | undefined;
  /** Absolute path that `typed` is, read as a directory. */
  readonly directory: string;
}

/** A binhost that can be listed and written to. */
export interface ManagedPlace {
  /** As configured; undefined for a directory. */
  readonly name: string | undefined;
  readonly writer: RemoteWriter;
  /** The user's trust, the user's own key included. */
  readonly policy: TrustPolicy;
}

/** Opens a place for looking after it, and closes it however the work ends. */
export async function withManagedPlace<Result>(
  options: SharingOptions,
  request: PlaceRequest,
  work: (place: ManagedPlace) => Promise<Result>,
): Promise<Result> {
  const { config, context } = options;
  const { name, location, settings } = await locate(config, request);
  if (config.offline && location.type !== 'file') throw offline(name ?? request.directory);
  const trust = settings === undefined ? await readUserTrust(options) : trustAt(await readUserTrust(options), settings);
  const writer = await openWriter(location, {
    environment: process.env,
    home: findHome(process.env),
    signal: context.signal,
    onNotice: (text) => context.emit({ kind: 'notice', text }),
    ask: answerOrNothing(context.ask),
  });
  const policy: TrustPolicy = {
    trust,
    verify: settings?.verify ?? 'require',
    principals: settings?.signers,
    now: new Date(),
  };
  try {
    return await work({ name, writer, policy });
  } finally {
    await writer.close();
  }
}

/** What changing an index needs: the key that signs, and whose work is built upon. */
export async function commitOptions(
  { config, context }: SharingOptions,
  { policy }: ManagedPlace,
  identity: BinhostIdentity,
): Promise<CommitOptions> {
  const signer = await openSigner(config.sign.key, { environment: process.env, ask: context.ask });
  if (signer === undefined) throw noSigner();
  const trusting = { ...policy, trust: orOwn(policy.trust, signer), principals: undefined };
  return { identity, signer, policy: trusting, now: new Date(), signal: context.signal };
}

export async function requireIdentity({ writer }: ManagedPlace): Promise<BinhostIdentity> {
  const identity = await readIdentity(writer);
  if (identity !== undefined) return identity;
  throw new BuilditError('file-missing', `Cannot use ${writer.shown}: expected a binhost, found none`, {
    hint: '`buildit binhost init` makes one there, and so does the first push',
  });
}

interface Located {
  readonly name: string | undefined;
  readonly location: WriteLocation;
  readonly settings: BinhostConfig | undefined;
}

async function locate(config: SharingOptions['config'], { typed, directory }: PlaceRequest): Promise<Located> {
  const configured = [config.repository, ...config.repositories].filter((place) => place !== undefined);
  const named = typed === undefined ? config.repository : configured.find(({ name }) => name === typed);
  if (named !== undefined) return { name: named.name, location: writable(named), settings: named };
  if (typed === undefined) {
    throw new BuilditError(
      'configuration-invalid',
      'Cannot find the binhost: expected a repository in the configuration or a PLACE, found neither',
      { hint: 'name a directory, or write one into .buildit-config.yaml: see `buildit schema buildit-config`' },
    );
  }
  const found = await stat(directory).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) throw unknownPlace(typed, 'a file', configured);
  if (found === undefined && !/[/.]/.test(typed)) throw unknownPlace(typed, 'neither', configured);
  return { name: undefined, location: { type: 'file', path: directory }, settings: undefined };
}

/** Where it is written to, else where it is read from if that can be listed. */
function writable(place: BinhostConfig): WriteLocation {
  const { uploadType, uploadPath, downloadType, downloadPath, driver, timeoutMs } = place;
  if (uploadType !== undefined && uploadPath !== undefined)
    return { type: uploadType, path: uploadPath, driver, timeoutMs };
  if ((downloadType === 'file' || downloadType === 'ssh') && downloadPath !== undefined)
    return { type: downloadType, path: downloadPath, driver, timeoutMs };
  throw new BuilditError(
    'configuration-invalid',
    `Cannot look after the binhost '${place.name}': expected an upload-type and upload-path in its configuration, found none`,
    { hint: 'over https a place can be read and not listed: buildit search, show and pull work' },
  );
}

function unknownPlace(typed: string, found: string, configured: readonly BinhostConfig[]): BuilditError {
  const names = configured.map(({ name }) => name);
  return new BuilditError(
    'file-missing',
    `Cannot find the binhost "${printable(typed)}": expected a configured name or a directory, found ${found}`,
    { hint: didYouMean(typed, names) ?? (names.length > 0 ? `configured: ${names.join(', ')}` : undefined) },
  );
}

export function offline(place: string): BuilditError {
  return new BuilditError(
    'offline',
    `Cannot reach the binhost "${printable(place)}": expected a network, found --offline`,
  );
}
