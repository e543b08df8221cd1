import { basename } from 'node:path';
import { BINHOST_FORMAT, type BinhostIdentity, ensureIdentity, readIdentity } from '../binhost/binhost-identity.ts';
import { IDENTITY_PATH } from '../binhost/binhost-paths.ts';
import { type CollectedPlace, collectPlace } from '../binhost/collect-place.ts';
import { commitEntries, readNewestIndex } from '../binhost/commit-entries.ts';
import { EMPTY_INDEX, type IndexContent } from '../binhost/index-part.ts';
import { type Pin, readPins } from '../binhost/pins.ts';
import type { PlaceReport } from '../binhost/place-report.ts';
import { settleViews } from '../binhost/publish-container.ts';
import { refuseForeignFiles } from '../binhost/refuse-foreign-files.ts';
import { addSignerLine } from '../binhost/signers-copy.ts';
import { canonicalText } from '../binhost/strict-fields.ts';
import { verifyPlace } from '../binhost/verify-place.ts';
import { BuilditError } from '../model/errors.ts';
import { isRepositoryName, printable } from '../model/names.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';
import {
  commitOptions,
  type ManagedPlace,
  type PlaceRequest,
  requireIdentity,
  withManagedPlace,
} from './managed-place.ts';
import type { SharingOptions } from './open-cache.ts';
import { ownerOfKey } from './owner-of-key.ts';

export interface InitOutcome {
  readonly place: string;
  readonly identity: BinhostIdentity;
  readonly generation: number;
}

/** Makes a binhost, or completes one: identity, a first generation, the page, and a copy of who signs. */
export async function initBinhost(
  options: SharingOptions,
  request: PlaceRequest,
  {
    name,
    url,
    principal,
  }: { readonly name?: string | undefined; readonly url?: string | undefined; readonly principal?: string | undefined },
): Promise<InitOutcome> {
  return withManagedPlace(options, request, async (place) => {
    const { writer } = place;
    const wanted = name ?? place.name ?? nameOfDirectory(request.directory);
    const identity = await identityWith(writer, wanted, { name, url });
    const commit = await commitOptions(options, place, identity);
    const generation = await commitEntries(writer, EMPTY_INDEX, commit);
    await addSignerLine(writer, commit.signer.publicKey, principal ?? (await ownerOfKey(options.config)));
    await settleViews(writer, commit);
    return { place: writer.shown, identity, generation };
  });
}

function nameOfDirectory(directory: string): string {
  const name = basename(directory).toLowerCase();
  if (isRepositoryName(name)) return name;
  throw new BuilditError(
    'usage',
    `Cannot call a binhost "${printable(name)}": expected a name of small letters, digits, ".", "_" and "-"`,
    { hint: 'buildit binhost init --name NAME' },
  );
}

/** The id of a place stays for ever; what it is called, and where the world reads it, may be said anew. */
async function identityWith(
  writer: RemoteWriter,
  wanted: string,
  { name, url }: { readonly name: string | undefined; readonly url: string | undefined },
): Promise<BinhostIdentity> {
  if ((await readIdentity(writer)) === undefined) await refuseForeignFiles(writer);
  const known = await ensureIdentity(writer, wanted, { url });
  const changed = (name !== undefined && name !== known.name) || (url !== undefined && url !== known.url);
  if (!changed) return known;
  const address = url ?? known.url;
  const identity: BinhostIdentity = {
    ...{ format: BINHOST_FORMAT, id: known.id, name: name ?? known.name },
    ...(address === undefined ? {} : { url: address }),
  };
  await writer.replace(IDENTITY_PATH, Buffer.from(canonicalText(identity)));
  return identity;
}

export interface PlaceContent {
  readonly place: string;
  readonly identity: BinhostIdentity;
  readonly generation: number;
  readonly content: IndexContent;
  readonly pins: readonly Pin[];
}

/** What the newest generation of a place names, and what is pinned there. */
export async function listBinhost(options: SharingOptions, request: PlaceRequest): Promise<PlaceContent> {
  return withManagedPlace(options, request, async (place) => {
    const identity = await requireIdentity(place);
    const { generation, content } = await newestIndex(place, identity);
    return { place: place.writer.shown, identity, generation, content, pins: await readPins(place.writer) };
  });
}

/** Reading alone needs no key to sign with. */
export function newestIndex({ writer, policy }: ManagedPlace, identity: BinhostIdentity) {
  return readNewestIndex(writer, { identity, policy: { ...policy, principals: undefined } });
}

export async function verifyBinhost(
  options: SharingOptions,
  request: PlaceRequest,
  { deep }: { readonly deep: boolean },
): Promise<PlaceReport & { readonly place: string }> {
  return withManagedPlace(options, request, async ({ writer, policy }) => {
    const task = startTask(options, `verifying ${writer.shown}`);
    const { signal } = options.context;
    return task(async (onProgress) => ({
      place: writer.shown,
      ...(await verifyPlace(writer, { policy, deep, signal, onProgress })),
    }));
  });
}

export async function collectBinhost(
  options: SharingOptions,
  request: PlaceRequest,
  { minimumAgeMs, isDryRun }: { readonly minimumAgeMs: number; readonly isDryRun: boolean },
): Promise<CollectedPlace & { readonly place: string }> {
  return withManagedPlace(options, request, async (place) => {
    const { writer } = place;
    const commit = await commitOptions(options, place, await requireIdentity(place));
    const task = startTask(options, `freeing ${writer.shown}`);
    return task(async (onProgress) => {
      const collected = await collectPlace(writer, { commit, minimumAgeMs, isDryRun, onProgress });
      if (!isDryRun) await settleViews(writer, commit);
      return { place: writer.shown, ...collected };
    });
  });
}

function startTask({ context: { emit } }: SharingOptions, label: string) {
  return async <Result>(work: (onProgress: (done: number, total: number) => void) => Promise<Result>) => {
    emit({ kind: 'task-started', task: label, label });
    try {
      const result = await work((done, total) => emit({ kind: 'task-progress', task: label, done, total }));
      emit({ kind: 'task-finished', task: label, outcome: 'done' });
      return result;
    } catch (error) {
      emit({ kind: 'task-finished', task: label, outcome: 'failed' });
      throw error;
    }
  };
}
