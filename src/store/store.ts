import { chmodSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { makeTraversableDirectory } from '../system/files.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import { formatPath, STORE_DIRECTORIES } from './store-paths.ts';
import { removeAbandoned } from './temporary.ts';

/** Version of the layout below a store's directory (see store-paths.ts). Another version is another store. */
export const STORE_FORMAT = 1;

/**
 * The content-addressed files of this machine. Everything in it can be read by everybody, is written once, and is
 * verified when it is read.
 */
export interface Store {
  readonly directory: string;
  /** Told, once for each, what was damaged and therefore removed. */
  readonly onWarning?: ((text: string) => void) | undefined;
  /** Trees and roots are compared by content before each use, whatever the store remembers of them. */
  readonly verifiesContents?: boolean | undefined;
}

export interface OpenStoreOptions {
  readonly verifiesContents?: boolean | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** Opens the store below a directory, creating it where nothing is yet, and removes what dead runs left behind. */
export async function openStore(directory: string, options: OpenStoreOptions = {}): Promise<Store> {
  const store: Store = { directory: resolve(directory), ...options };
  if (readFormat(store) !== STORE_FORMAT) createStore(store);
  else makeMissingDirectories(store);
  await removeAbandoned(store);
  return store;
}

/** The format a store says it has; undefined where there is no store. Throws for any other format than this one. */
function readFormat(store: Store): typeof STORE_FORMAT | undefined {
  const text = readFormatFile(store);
  if (text === undefined) return undefined;
  if (text === formatText()) return STORE_FORMAT;
  const found = /^buildit store ([0-9]{1,9})\n$/.exec(text)?.[1];
  throw new BuilditError(
    'configuration-invalid',
    `Cannot open the store "${printable(store.directory)}": expected format ${STORE_FORMAT}, found ${
      found === undefined ? `"${printable(text.slice(0, 40))}"` : `format ${found}`
    }`,
    { hint: 'name another directory with BUILDIT_STORE, or remove this one' },
  );
}

function readFormatFile(store: Store): string | undefined {
  try {
    return readFileSync(formatPath(store), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw new BuilditError(
      'cannot-write',
      `Cannot open the store "${printable(store.directory)}": expected a directory this user may read, found ${systemErrorCode(error) ?? 'a fault'}`,
      { hint: 'name another directory with BUILDIT_STORE', cause: error },
    );
  }
}

/** The format file comes last: a creation that was cut short is simply done again. */
function createStore(store: Store): void {
  try {
    makeTraversableDirectory(store.directory);
    refuseForeignDirectory(store);
    makeMissingDirectories(store);
    writeFileSync(formatPath(store), formatText());
    chmodSync(formatPath(store), 0o644);
  } catch (error) {
    throw writeFailure(error, { verb: 'create the store', path: store.directory });
  }
}

function makeMissingDirectories(store: Store): void {
  for (const name of STORE_DIRECTORIES) {
    const path = join(store.directory, name);
    try {
      makeTraversableDirectory(path);
    } catch (error) {
      throw writeFailure(error, { verb: 'create', path });
    }
  }
}

function refuseForeignDirectory(store: Store): void {
  const foreign = readdirSync(store.directory).find((name) => name !== 'format' && !STORE_DIRECTORIES.includes(name));
  if (foreign === undefined) return;
  throw new BuilditError(
    'configuration-invalid',
    `Cannot use "${printable(store.directory)}" as a store: expected an empty directory, found "${printable(foreign)}" in it`,
    { hint: 'name another directory with BUILDIT_STORE' },
  );
}

/** The nearest directory above or at the store that other users cannot pass through; undefined where they can. */
export function untraversableDirectory(store: Store): string | undefined {
  for (let path = store.directory; ; path = dirname(path)) {
    if ((lstatSync(path).mode & 0o001) === 0) return path;
    if (path === dirname(path)) return undefined;
  }
}

function formatText(): string {
  return `buildit store ${STORE_FORMAT}\n`;
}
