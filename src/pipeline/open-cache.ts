import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { IndexContent } from '../binhost/index-part.ts';
import { type Binhost, openBinhost } from '../binhost/open-binhost.ts';
import type { LocalSeal } from '../cache/local-seal.ts';
import { type CachePlace, createPackageCache, type PackageCache } from '../cache/package-cache.ts';
import { takeBlob } from '../cache/take-blob.ts';
import type { BinhostConfig } from '../model/config.ts';
import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { withoutTrailing } from '../model/without-trailing.ts';
import { openReader } from '../remote/open-place.ts';
import type { AllowedSigner } from '../signing/allowed-signers.ts';
import { createAllowedSigner } from '../signing/create-allowed-signer.ts';
import { createTrust } from '../signing/create-trust.ts';
import { findPublicKey } from '../signing/find-public-key.ts';
import { openMachineKey } from '../signing/machine-key.ts';
import { fingerprint } from '../signing/public-key.ts';
import { readTrust } from '../signing/read-trust.ts';
import type { Signer } from '../signing/signer.ts';
import type { Trust } from '../signing/trust.ts';
import type { Store } from '../store/store.ts';
import { findHome } from '../system/user-directories.ts';
import type { BuildOptions } from './contract.ts';

/** Where packages may be taken from in one run, and who is believed. */
export interface Sharing {
  readonly cache: PackageCache;
  readonly seal: LocalSeal;
  readonly trust: Trust;
  /** The configured places, in the order they are asked; none when offline. */
  readonly places: readonly CachePlace[];
  /** What each place holds, as far as it can be read. */
  contents(): Promise<readonly ({ readonly place: string } & IndexContent)[]>;
  /** A file by its digest from whatever binhost has it; false where none does. */
  takeBlob(digest: Digest, maximumBytes: number): Promise<boolean>;
  /** When the first signature that was relied on stops counting by itself, milliseconds since 1970. */
  expiresMs(): number | undefined;
  /** Ends the connections that reading opened. */
  close(): Promise<void>;
}

export type SharingOptions = Pick<BuildOptions, 'config' | 'context' | 'witness'>;

/** Opens nothing yet but the files that say who is trusted. */
export async function openSharing(store: Store, options: SharingOptions): Promise<Sharing> {
  const { config, context } = options;
  const trust = await readUserTrust(options);
  let expiresMs: number | undefined;
  const seal = localSeal(trust, (at) => {
    expiresMs = Math.min(expiresMs ?? Number.POSITIVE_INFINITY, at.getTime());
  });
  const warn = (text: string, hint?: string) =>
    context.emit({ kind: 'warning', text, ...(hint === undefined ? {} : { hint }) });
  const closing: (() => Promise<void>)[] = [];
  const places = config.offline
    ? []
    : readablePlaces(config).map((place) => cachePlace(store, place, { options, trust, warn, closing }));
  const cache = createPackageCache({
    store,
    seal,
    places,
    signal: context.signal,
    onWarning: warn,
    onFetch: ({ hash, name, place }) => {
      const task = `take ${hash}`;
      context.emit({ kind: 'task-started', task, label: `${name} from '${place}'` });
      return {
        progress: (done, total) => context.emit({ kind: 'task-progress', task, done, total }),
        finished: (outcome) => context.emit({ kind: 'task-finished', task, outcome }),
      };
    },
  });
  return {
    cache,
    seal,
    trust,
    places,
    async contents() {
      const opened = await Promise.all(places.map(async ({ name, open }) => ({ place: name, binhost: await open() })));
      return opened.flatMap(({ place, binhost }) =>
        'unusable' in binhost ? [] : [{ place, ...binhost.index.content }],
      );
    },
    expiresMs: () => expiresMs,
    async takeBlob(digest, maximumBytes) {
      const place = await takeBlob(store, places, { digest, maximumBytes, signal: context.signal });
      if (place !== undefined) context.emit({ kind: 'notice', text: `took sha256 ${digest} from '${place}'` });
      return place !== undefined;
    },
    async close() {
      await Promise.all(closing.splice(0).map((end) => end()));
    },
  };
}

/** Whom the user believes, by the files of the configuration; lines that cannot be understood are warned of. */
export async function readUserTrust({ config, context, witness }: SharingOptions): Promise<Trust> {
  const { allowedSigners } = config.trust;
  if (allowedSigners === undefined) return createTrust({ allowedSigners: await ownSigner(config), revokedKeys: [] });
  const files = { allowedSigners, revokedKeys: join(dirname(allowedSigners), 'revoked_keys') };
  witness.read(files.allowedSigners);
  witness.read(files.revokedKeys);
  const { trust, problems } = await readTrust(files, await ownSigner(config));
  for (const problem of problems) context.emit({ kind: 'warning', text: problem.message });
  return trust;
}

/** What the user signed elsewhere counts here. A key that cannot be read is told of where something is to be signed. */
async function ownSigner({ sign }: SharingOptions['config']): Promise<readonly AllowedSigner[]> {
  const own = await findPublicKey(sign.key, { environment: process.env }).catch(() => undefined);
  return own === undefined ? [] : [createAllowedSigner(own.publicKey, 'yourself', undefined)];
}

/** The key of this machine is made when the first record is kept. */
export function localSeal(trust: Trust, onExpiry?: (at: Date) => void): LocalSeal {
  let signer: Promise<Signer> | undefined;
  const open = () => {
    signer ??= openMachineKey(process.env, process.getuid?.());
    return signer;
  };
  let machine: Promise<Trust> | undefined;
  return {
    signer: open,
    trust,
    onExpiry,
    machine() {
      machine ??= open().then(({ publicKey }) => trustInKey(publicKey));
      return machine;
    },
  };
}

/** Believes one key, for everything. */
export function trustInKey(publicKey: Signer['publicKey']): Trust {
  return createTrust({ allowedSigners: [createAllowedSigner(publicKey, 'machine', undefined)], revokedKeys: [] });
}

/** The repository first, then the others, those of a higher priority first. */
export function readablePlaces({ repository, repositories }: BuildOptions['config']): readonly ReadablePlace[] {
  const others = [...repositories].sort((a, b) => b.priority - a.priority);
  return [...(repository === undefined ? [] : [repository]), ...others].filter(isReadable);
}

export type ReadablePlace = BinhostConfig & {
  readonly downloadType: NonNullable<BinhostConfig['downloadType']>;
  readonly downloadPath: string;
};

function isReadable(place: BinhostConfig): place is ReadablePlace {
  return place.downloadType !== undefined && place.downloadPath !== undefined;
}

interface PlaceSession {
  readonly options: SharingOptions;
  readonly trust: Trust;
  readonly warn: (text: string, hint?: string) => void;
  readonly closing: (() => Promise<void>)[];
}

function cachePlace(store: Store, place: ReadablePlace, session: PlaceSession): CachePlace {
  let opened: ReturnType<CachePlace['open']> | undefined;
  return {
    name: place.name,
    builders: place.builders,
    open() {
      opened ??= openOnce(store, place, session);
      return opened;
    },
  };
}

/** A place that is down or cannot be believed is said once, and costs one time-out for the whole run. */
async function openOnce(
  store: Store,
  place: ReadablePlace,
  { options, trust, warn, closing }: PlaceSession,
): Promise<Binhost | { readonly unusable: string }> {
  const { signal } = options.context;
  try {
    const reader = await openReader(await readLocation(place), {
      environment: process.env,
      home: findHome(process.env),
      signal,
      onNotice: (text) => options.context.emit({ kind: 'notice', text }),
      ask: options.context.ask && (async (question) => (await options.context.ask!(question)) ?? ''),
    });
    closing.push(() => reader.close());
    return await openBinhost(store, {
      name: place.name,
      reader,
      policy: { trust: trustAt(trust, place), verify: place.verify, principals: place.signers, now: new Date() },
      requireFresh: place.freshness === 'require',
      signal,
      onWarning: warn,
    });
  } catch (error) {
    if (signal.aborted || !(error instanceof BuilditError)) throw error;
    warn(error.message, error.hint);
    return { unusable: error.code === 'signature-invalid' ? 'cannot be believed' : 'cannot be reached' };
  }
}

/** The user's trust as it counts at one place: more keys where the user named them, fewer where a lock did. */
export function trustAt(
  trust: Trust,
  { trustedKeys, pinnedKeys }: Pick<BinhostConfig, 'trustedKeys' | 'pinnedKeys'>,
): Trust {
  const isAdded = (print: string) => trustedKeys.includes(print);
  const isLeftOut = (print: string) => pinnedKeys !== undefined && !pinnedKeys.includes(print);
  return {
    judge(message, armored, options) {
      const verdict = trust.judge(message, armored, options);
      if (verdict.kind === 'invalid') return verdict;
      const print = fingerprint(verdict.key);
      if (verdict.kind === 'stranger' && isAdded(print)) {
        return { kind: 'trusted', key: verdict.key, principal: print, person: print, validUntil: undefined };
      }
      if (verdict.kind !== 'trusted' || !isLeftOut(print)) return verdict;
      return {
        kind: 'stranger',
        key: verdict.key,
        reason: `signed with a key that is not pinned for this place (${print})`,
      };
    },
    judgeKey(id, options) {
      const verdict = trust.judgeKey(id, options);
      const print = printOf(id);
      if (verdict.kind === 'stranger' && isAdded(print)) return { kind: 'trusted', person: print };
      if (verdict.kind !== 'trusted' || !isLeftOut(print)) return verdict;
      return { kind: 'stranger', reason: `signed with a key that is not pinned for this place (${print})` };
    },
    knows(id) {
      const print = printOf(id);
      return (trust.knows(id) || isAdded(print)) && !isLeftOut(print);
    },
  };
}

function printOf(id: string): string {
  return `SHA256:${withoutTrailing(Buffer.from(id, 'hex').toString('base64'), '=')}`;
}

export async function readLocation(place: ReadablePlace) {
  return {
    type: place.downloadType,
    path: place.downloadPath,
    timeoutMs: place.timeoutMs,
    ca: place.ca === undefined ? undefined : await readAuthorities(place.ca),
    insecure: place.insecure,
    driver: place.driver,
  };
}

async function readAuthorities(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new BuilditError(
      'configuration-invalid',
      `Cannot read the certificates "${path}": expected a file, found none that can be read`,
      { cause },
    );
  }
}
