import type { Digest } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import type { DebianPin } from '../model/lock.ts';
import { isSuiteName, printable } from '../model/names.ts';
import { putBlob } from '../store/put-blob.ts';
import { blobSize } from '../store/read-blob.ts';
import { openDownload } from '../system/http.ts';
import { type ArchivePlace, archivePlaces } from './archive-places.ts';
import {
  type ArchiveSession,
  commonCode,
  commonHint,
  type PlaceTried,
  patience,
  placeTried,
  triedLines,
} from './archive-session.ts';
import { isPoolPath } from './parse-packages.ts';
import { type UnusablePlaces, unusablePlaces } from './unusable-places.ts';

/** Enough to fill a line; many more at once run into time-outs. */
const DOWNLOADS_AT_ONCE = 8;
const HOUR_MS = 3_600_000;
/** The snapshot service takes a state every few hours: the first state after an index surely has what it names. */
const SNAPSHOT_DELAYS_MS = [12 * HOUR_MS, 0];

/** Pinned packages that no place has any more. */
export class VanishedPackages extends BuilditError {
  readonly packages: readonly DebianPin[];
  /** Every place answered, and said so. Otherwise the snapshot service, and it alone, could not be asked. */
  readonly isCertain: boolean;

  constructor(vanished: readonly VanishedPackage[]) {
    const packages = vanished.map(({ pin }) => pin);
    const names = packages.map(({ name, version }) => printable(`${name} ${version}`)).join(', ');
    super(
      'unreachable',
      `Cannot fetch ${names}: expected it in one of the archives, found that it is in none any more`,
      {
        details: vanished.flatMap(({ tried }) => triedLines(tried)),
        hint: 'Debian removes superseded versions; without --locked the present ones are taken and written into buildit.lock',
      },
    );
    this.packages = packages;
    this.isCertain = vanished.every(({ tried }) => tried.every(({ isAbsent }) => isAbsent));
  }
}

export interface FetchDebsOptions extends Omit<ArchiveSession, 'store'> {
  /** Brings a package by its digest from elsewhere when no archive has it; false where that has it neither. */
  readonly takeBlob?: ((digest: Digest, maximumBytes: number) => Promise<boolean>) | undefined;
}

interface VanishedPackage {
  readonly pin: DebianPin;
  readonly tried: readonly PlaceTried[];
}

/**
 * Brings pinned packages into the store: from the configured mirror, else the host's apt sources, else the snapshot
 * service at the pin's date. Those that are there already cost one `lstat`. What nobody has any more is told together,
 * as `VanishedPackages`.
 */
export async function fetchDebs(
  store: ArchiveSession['store'],
  pins: readonly DebianPin[],
  options: FetchDebsOptions,
): Promise<void> {
  const session: ArchiveSession = { ...options, store };
  const missing = await missingPins(session, pins);
  if (missing.length === 0) return;
  if (session.config.offline) throw offlineError(missing);
  const progress = startProgress(missing, session);
  const vanished: VanishedPackage[] = [];
  const unusable = unusablePlaces(session);
  try {
    await eachAtOnce(missing, session, async (pin, ownSession) => {
      const failure = await fetchOrTake(pin, options.takeBlob, () =>
        fetchDeb(ownSession, pin, { advance: progress.advance, unusable }),
      );
      if (failure !== undefined) vanished.push(failure);
    });
    if (vanished.length > 0) throw new VanishedPackages(sortByName(vanished));
  } catch (error) {
    progress.end('failed');
    throw error;
  }
  progress.end('done');
}

/** Runs a few at once, the largest first. The first failure stops the others. */
async function eachAtOnce(
  pins: readonly DebianPin[],
  session: ArchiveSession,
  action: (pin: DebianPin, session: ArchiveSession) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([session.context.signal, stop.signal]);
  const ownSession = { ...session, context: { ...session.context, signal } };
  const waiting = [...pins].sort((a, b) => b.size - a.size);
  let first: { readonly error: unknown } | undefined;
  const work = async () => {
    for (let pin = waiting.shift(); pin !== undefined && first === undefined; pin = waiting.shift()) {
      try {
        await action(pin, ownSession);
      } catch (error) {
        first ??= { error };
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(DOWNLOADS_AT_ONCE, waiting.length) }, work));
  if (first !== undefined) throw first.error;
}

/** The same bytes may be pinned by several locks. */
async function missingPins({ store }: ArchiveSession, pins: readonly DebianPin[]): Promise<readonly DebianPin[]> {
  const unique = [...new Map(pins.map((pin) => [pin.sha256, pin])).values()];
  const sizes = await Promise.all(unique.map(({ sha256 }) => blobSize(store, sha256)));
  return unique.filter((_, index) => sizes[index] === undefined);
}

/** What the archives do not have any more, or cannot be asked for, may lie with those who built with it. */
async function fetchOrTake(
  { sha256, size }: DebianPin,
  take: FetchDebsOptions['takeBlob'],
  fetch: () => Promise<VanishedPackage | undefined>,
): Promise<VanishedPackage | undefined> {
  let failure: VanishedPackage | undefined;
  try {
    failure = await fetch();
  } catch (error) {
    if (error instanceof BuilditError && error.code === 'unreachable' && (await take?.(sha256, size))) return undefined;
    throw error;
  }
  return failure !== undefined && (await take?.(sha256, size)) ? undefined : failure;
}

async function fetchDeb(
  session: ArchiveSession,
  pin: DebianPin,
  { advance, unusable }: { advance: (bytes: number) => void; unusable: UnusablePlaces },
): Promise<VanishedPackage | undefined> {
  const tried: PlaceTried[] = [];
  for (const { url, kind } of debUrls(pin, session)) {
    let received = 0;
    try {
      const { body } = await openDownload(url, {
        signal: session.context.signal,
        allowHttp: true,
        pinned: true,
        maximumBytes: pin.size,
        ...patience(kind, tried),
        ...(unusable.includes(url) ? { retries: 0 } : {}),
      });
      const counted = (async function* () {
        for await (const chunk of body) {
          received += chunk.length;
          advance(chunk.length);
          yield chunk;
        }
      })();
      await putBlob(session.store, counted, { expected: pin.sha256, size: pin.size, maxBytes: pin.size, what: url });
      unusable.note(tried, url);
      return undefined;
    } catch (error) {
      advance(-received);
      tried.push(placeTried(url, kind, error));
    }
  }
  if (!isVanished(tried)) throw unreachable(pin, tried);
  return { pin, tried };
}

/** Where the package may be, in order. The pin comes out of a file, so its texts are checked before they make a URL. */
export function debUrls(
  pin: DebianPin,
  { config, surroundings }: Pick<ArchiveSession, 'config' | 'surroundings'>,
): readonly { readonly url: string; readonly kind: ArchivePlace['kind'] }[] {
  const date = Date.parse(pin.date);
  if (!isSuiteName(pin.suite) || !isPoolPath(pin.path) || Number.isNaN(date)) {
    throw new BuilditError('input-invalid', `Cannot fetch "${printable(pin.name)}": its pin is not a valid one`);
  }
  const urls = SNAPSHOT_DELAYS_MS.flatMap((delay) =>
    archivePlaces(pin.suite, config, date + delay, surroundings).map(({ root, kind }) => ({
      url: `${root}/${escapedPath(pin.path)}`,
      kind,
    })),
  );
  const unique = urls.filter(({ url }, index) => urls.findIndex((other) => other.url === url) === index);
  return [...unique.filter(({ kind }) => kind !== 'snapshot'), ...unique.filter(({ kind }) => kind === 'snapshot')];
}

/** Pool paths hold `~`, `+` and `:` as they are; a `%` in a name is part of the name. */
function escapedPath(path: string): string {
  return path.replaceAll('%', '%25');
}

/** Every mirror says that it is not there; the snapshot service says so too, or cannot be asked at all. */
function isVanished(tried: readonly PlaceTried[]): boolean {
  const mirrors = tried.filter(({ kind }) => kind !== 'snapshot');
  return tried.every(({ isAbsent }) => isAbsent) || (mirrors.length > 0 && mirrors.every(({ isAbsent }) => isAbsent));
}

const PROGRESS_STEP_BYTES = 256 << 10;
const TASK = 'fetch-debian';

function startProgress(missing: readonly DebianPin[], { context }: ArchiveSession) {
  const total = missing.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  let told = 0;
  const label = missing.length === 1 ? `debian/${missing[0]!.name}` : `${missing.length} Debian packages`;
  context.emit({ kind: 'task-started', task: TASK, label, total });
  return {
    advance: (bytes: number) => {
      done += bytes;
      if (Math.abs(done - told) < PROGRESS_STEP_BYTES && done !== total) return;
      told = done;
      context.emit({ kind: 'task-progress', task: TASK, done, total });
    },
    end: (outcome: 'done' | 'failed') => context.emit({ kind: 'task-finished', task: TASK, outcome }),
  };
}

function sortByName(vanished: readonly VanishedPackage[]): readonly VanishedPackage[] {
  return [...vanished].sort((a, b) => (a.pin.name < b.pin.name ? -1 : 1));
}

function unreachable(pin: DebianPin, tried: readonly PlaceTried[]): BuilditError {
  return new BuilditError(
    commonCode(tried),
    `Cannot fetch "${pin.name} ${pin.version}": expected one of ${tried.length} places to have it, found none`,
    {
      details: triedLines(tried),
      hint:
        commonHint(tried) ??
        'check the network (behind a proxy set HTTP_PROXY and HTTPS_PROXY), or name a mirror as debian.mirror in the configuration',
    },
  );
}

function offlineError(missing: readonly DebianPin[]): BuilditError {
  const names = missing.map(({ name }) => name).sort();
  return new BuilditError(
    'offline',
    `Cannot fetch ${missing.length} Debian packages: expected them in the store, found --offline`,
    { details: names.slice(0, 20), hint: 'run once without --offline; what was fetched is kept in the store' },
  );
}
