import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSourceFile } from '../build/read-source-file.ts';
import { readVendorRecipe, type VendorRecipeVersion } from '../definition/read-vendor-recipe.ts';
import type { VendorRequest } from '../definition/resolve-vendor.ts';
import { fetchSources } from '../fetch/fetch-sources.ts';
import { append } from '../model/append.ts';
import { sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { PackageSource } from '../model/package.ts';
import { artefactPurl } from '../model/registry.ts';
import {
  parseVendorLock,
  VENDOR_LOCK_FILE,
  type VendoredFile,
  type VendoredVersion,
  type VendorLock,
  vendorLockText,
} from '../model/vendor-lock.ts';
import type { LockText } from '../registry/locked-artefact.ts';
import { pinArtefacts } from '../registry/pin-artefacts.ts';
import type { Store } from '../store/store.ts';
import { writeFileDurably } from '../system/files.ts';
import type { BuildOptions, LockOutcome } from './contract.ts';
import { openRunRegistries } from './open-run-registries.ts';
import { openRunStore } from './prepare-run.ts';
import { rememberVendorLock } from './remember-lock.ts';
import { sourceOptions } from './source-options.ts';

/**
 * Writes the vendor.lock beside a recipe: of every version, or of the named ones alone, everything that the lock files of
 * its languages name.
 */
export async function lockVendor(options: BuildOptions, versions: readonly string[]): Promise<LockOutcome> {
  const { directory, context, config } = options;
  if (config.offline) {
    throw new BuilditError('offline', `Cannot lock "${printable(directory)}": expected a network, found --offline`);
  }
  const recipe = await readVendorRecipe(directory);
  if (recipe.every(({ requests }) => requests.length === 0)) {
    const message = `Cannot lock "${printable(directory)}": expected the key "vendor" in pkg.yaml, found none`;
    throw new BuilditError('usage', message, {
      hint: 'vendor: {ecosystem: cargo} names Cargo.lock in the main source',
    });
  }
  const unknown = versions.find((version) => !recipe.some((one) => one.version === version));
  if (unknown !== undefined) {
    const known = recipe.map(({ version }) => version).join(', ');
    throw new BuilditError('usage', `Cannot lock version "${printable(unknown)}": expected one of ${known}`);
  }
  const store = await openRunStore(options);
  const registries = openRunRegistries(options);
  const path = join(directory, VENDOR_LOCK_FILE);
  const before = await readBefore(path);
  const lock = new Map<string, VendoredVersion>();
  for (const one of recipe) {
    const known = before?.get(one.version);
    if (versions.length > 0 && !versions.includes(one.version)) {
      if (known !== undefined) lock.set(one.version, known);
      continue;
    }
    lock.set(one.version, await pinVersion(one, { options, store, registries }));
  }
  const written = before === undefined || vendorLockText(before) !== vendorLockText(lock);
  if (written) await writeFileDurably(path, vendorLockText(lock), { mode: 0o644 });
  await rememberVendorLock(store, path, lock);
  context.emit({
    kind: 'notice',
    text: `${[...lock.values()].reduce((sum, { files }) => sum + files.length, 0)} files pinned`,
  });
  return { path, written, changes: changesOf(before ?? new Map(), lock) };
}

interface PinSession {
  readonly options: BuildOptions;
  readonly store: Store;
  readonly registries: ReturnType<typeof openRunRegistries>;
}

async function pinVersion({ main, requests }: VendorRecipeVersion, session: PinSession): Promise<VendoredVersion> {
  const files: VendoredFile[] = [];
  for (const request of requests) {
    const text = await lockTextOf(request, main, session);
    const { store, registries, options } = session;
    append(files, await pinArtefacts(request.ecosystem, text, { store, registries, context: options.context }));
  }
  return { from: Object.fromEntries(requests.map(({ ecosystem, from }) => [ecosystem, from])), files };
}

async function lockTextOf(
  { lock }: VendorRequest,
  main: PackageSource | undefined,
  { options, store, registries }: PinSession,
): Promise<LockText> {
  if (lock.kind === 'file') {
    const bytes = await readFile(lock.file.absolutePath);
    if (sha256(bytes) !== lock.file.sha256) {
      throw new BuilditError('input-invalid', `Cannot read "files/${lock.file.path}": it changed while it was read`);
    }
    return { text: bytes.toString('utf8'), name: `files/${lock.file.path}` };
  }
  await fetchSources([main!], sourceOptions({ store, options, registries, takeBlob: undefined }));
  const bytes = await readSourceFile(store, main!, lock.path);
  return { text: bytes.toString('utf8'), name: `${main!.fileName}: ${lock.path}` };
}

/** One that cannot be read is written anew. */
async function readBefore(path: string): Promise<VendorLock | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  try {
    return text === undefined ? undefined : parseVendorLock(text, path);
  } catch {
    return undefined;
  }
}

function changesOf(before: VendorLock, after: VendorLock): LockOutcome['changes'] {
  const digests = (lock: VendorLock) =>
    new Map(
      [...lock].flatMap(([version, { files }]) =>
        files.map((file) => [`${version} ${artefactPurl(file.artefact)}`, file.sha256] as const),
      ),
    );
  const [from, to] = [digests(before), digests(after)];
  const names = [...new Set([...from.keys(), ...to.keys()])].sort();
  return names.flatMap((name) =>
    from.get(name) === to.get(name) ? [] : [{ name, from: from.get(name), to: to.get(name) }],
  );
}
