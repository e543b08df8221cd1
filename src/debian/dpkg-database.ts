import { keepLayer } from '../layer/keep-layer.ts';
import { readListing } from '../layer/listing.ts';
import { hasLayer } from '../layer/open-layer.ts';
import { fileMember, symlinkMember, type TarMember } from '../layer/tar-member.ts';
import { digestOfJson } from '../model/digest.ts';
import { DPKG_DATABASE_VERSION } from '../model/identity.ts';
import type { KeptLayer } from '../model/layer.ts';
import type { DebianPin } from '../model/lock.ts';
import { isKeptLayer } from '../model/record-shape.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { plainJson } from '../store/plain-json.ts';
import { openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { readControlFiles } from './control-files.ts';
import { openDeb } from './open-deb.ts';
import { statusEntry } from './status-entry.ts';

/** A package of a root: its archive is in the store, and so is the layer that was made of it. */
export interface InstalledPackage {
  readonly pin: DebianPin;
  readonly layer: KeptLayer;
}

const NOTES = 'dpkg-databases';

/**
 * What dpkg(1) would have written into a root after installing these packages, as a layer: their status, which files are
 * whose, and the symbols and shlibs that dpkg-shlibdeps(1) reads. Each change of it is a new DPKG_DATABASE_VERSION.
 */
export async function keepDpkgDatabase(store: Store, packages: readonly InstalledPackage[]): Promise<KeptLayer> {
  const known = await findDpkgDatabase(store, packages);
  if (known !== undefined) return known;
  const layer = await keepLayer(store, databaseMembers(store, inOrder(packages)), {
    mtime: { kind: 'fixed', seconds: 0 },
    owner: 'root',
    what: 'the database of dpkg',
  });
  await writeNote(store, NOTES, noteKey(packages), plainJson(layer));
  return layer;
}

/** The same, if it was made before; then no archive is needed. */
export async function findDpkgDatabase(
  store: Store,
  packages: readonly Pick<InstalledPackage, 'pin'>[],
): Promise<KeptLayer | undefined> {
  const kept = await readNote(store, NOTES, noteKey(packages), isKeptLayer);
  return kept !== undefined && (await hasLayer(store, kept)) ? kept : undefined;
}

function noteKey(packages: readonly Pick<InstalledPackage, 'pin'>[]): string {
  return digestOfJson({ version: DPKG_DATABASE_VERSION, packages: inOrder(packages).map(({ pin }) => pin.sha256) });
}

function inOrder<Installed extends Pick<InstalledPackage, 'pin'>>(packages: readonly Installed[]): Installed[] {
  return packages.toSorted((a, b) => (a.pin.name < b.pin.name ? -1 : 1));
}

const CONTROL_FILES = ['symbols', 'shlibs'] as const;

async function* databaseMembers(
  store: Store,
  packages: readonly InstalledPackage[],
): AsyncGenerator<TarMember, void, undefined> {
  const entries: Buffer[] = [];
  for (const { pin, layer } of packages) {
    const what = `${pin.name}_${pin.version}_${pin.architecture}.deb`;
    const deb = await openDeb(openBlob(store, pin.sha256), what);
    let files: ReadonlyMap<string, Buffer>;
    try {
      files = await readControlFiles(deb.control, ['control', ...CONTROL_FILES], what);
    } finally {
      await deb.close();
    }
    entries.push(statusEntry(files.get('control')!, what).entry);
    const base = `var/lib/dpkg/info/${pin.name}${pin.multiArchSame === true ? `:${pin.architecture}` : ''}`;
    const paths = (await readListing(store, layer.listing)).flatMap(({ path }) => namesOf(path));
    yield fileMember(`${base}.list`, `/.\n${paths.map((path) => `/${path}\n`).join('')}`);
    for (const name of CONTROL_FILES) {
      const content = files.get(name);
      if (content !== undefined) yield fileMember(`${base}.${name}`, content);
    }
  }
  yield fileMember('var/lib/dpkg/info/format', '1\n');
  yield fileMember('var/lib/dpkg/status', Buffer.concat(entries.flatMap((entry) => [entry, Buffer.from('\n')])));
  yield symlinkMember('etc/dpkg/origins/default', 'debian');
}

/** Where /usr is merged a file is asked for by either of its two names. */
function namesOf(path: string): readonly string[] {
  return /^usr\/(?:bin|sbin|lib(?:32|64|x32)?)\//.test(path) ? [path, path.slice('usr/'.length)] : [path];
}
