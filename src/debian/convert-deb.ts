import { decompress } from '../layer/decompress.ts';
import { encodeLayer, findEncoding } from '../layer/encode-layer.ts';
import { keepLayer } from '../layer/keep-layer.ts';
import { readTar } from '../layer/read-tar.ts';
import { fileMember, type TarMember } from '../layer/tar-member.ts';
import type { LayerCompression } from '../model/container.ts';
import { DEBIAN_CONVERTER_VERSION } from '../model/identity.ts';
import type { KeptLayer } from '../model/layer.ts';
import type { DebianPin } from '../model/lock.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { plainJson } from '../store/plain-json.ts';
import { blobSize, openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { temporaryPath } from '../store/temporary.ts';
import { staleTreePath, treePath } from '../store/trees.ts';
import { type OpenedDeb, openDeb } from './open-deb.ts';
import { readStatusEntry, statusEntryPath } from './status-entry.ts';

/** A Debian package as a layer. */
export interface ConvertedDeb {
  readonly layer: KeptLayer;
  /** The newest time in the package, seconds. */
  readonly sourceDate: number;
}

export interface ConvertOptions {
  /** Compresses the layer in the same pass, where that encoding is known to be wanted. */
  readonly encode?: LayerCompression | undefined;
  /** `later` for a package that is no part of a root: its tree is made of that encoding when something asks for it. */
  readonly tree?: 'now' | 'later' | undefined;
}

const NOTES = 'debian-layers';

/**
 * Makes a layer of a package whose `.deb` is in the store: its files with their owners, modes and times, and its status
 * entry at `statusEntryPath`. No script of the package is run, and none is kept. What was converted before is taken from
 * the store.
 */
export async function convertDeb(store: Store, pin: DebianPin, options: ConvertOptions = {}): Promise<ConvertedDeb> {
  const known = await findConverted(store, pin, options);
  if (known !== undefined) return known;
  const what = `${pin.name}_${pin.version}_${pin.architecture}.deb`;
  const deb = await openDeb(openBlob(store, pin.sha256), what);
  try {
    return await convertOpened(store, pin, deb, what, options);
  } finally {
    await deb.close();
  }
}

async function convertOpened(
  store: Store,
  pin: DebianPin,
  deb: OpenedDeb,
  what: string,
  { encode, tree = 'now' }: ConvertOptions,
): Promise<ConvertedDeb> {
  const statusEntry = await readStatusEntry(deb.control, pin, what);
  const members = new DebMembers(deb, await temporaryPath(store, 'data.tar'));
  const layer = await keepLayer(store, members.read(pin, statusEntry, what), {
    mtime: { kind: 'archive' },
    owner: 'archive',
    what,
    tree,
    ...(encode === undefined ? {} : { encode }),
  });
  const converted = { layer, sourceDate: members.newest };
  await writeNote(store, NOTES, noteKey(pin), plainJson(converted));
  return converted;
}

/** What an earlier conversion gave, if its layer is still there in some form. */
export async function findConverted(
  store: Store,
  pin: Pick<DebianPin, 'sha256' | 'name' | 'version' | 'architecture'>,
  { encode }: ConvertOptions = {},
): Promise<ConvertedDeb | undefined> {
  const note = (await readNote(store, NOTES, noteKey(pin))) as unknown as ConvertedDeb | undefined;
  if (note === undefined || !(await isThere(store, note.layer))) return undefined;
  if (encode !== undefined) await encodeLayer(store, note.layer, encode);
  return note;
}

async function isThere(store: Store, layer: KeptLayer): Promise<boolean> {
  if ((await blobSize(store, layer.listing)) === undefined) return false;
  if ((await treePath(store, layer.diffId)) !== undefined) return true;
  if ((await staleTreePath(store, layer.diffId)) !== undefined) return true;
  const encodings: readonly LayerCompression[] = ['zstd', 'gzip', 'none'];
  const found = await Promise.all(encodings.map((encoding) => findEncoding(store, layer, encoding)));
  return found.some((blob) => blob !== undefined);
}

/** The same bytes under another name would be refused, so the name is part of the key. */
function noteKey({
  sha256,
  name,
  version,
  architecture,
}: Pick<DebianPin, 'sha256' | 'name' | 'version' | 'architecture'>): string {
  return `${DEBIAN_CONVERTER_VERSION} ${sha256} ${name} ${version} ${architecture}`;
}

/** The members of a package's data, then its status entry, which is as old as the newest of them. */
class DebMembers {
  readonly #deb: OpenedDeb;
  readonly #spool: string;
  #newest = 0;

  constructor(deb: OpenedDeb, spool: string) {
    this.#deb = deb;
    this.#spool = spool;
  }

  /** The newest time of those that came by, seconds. */
  get newest(): number {
    return this.#newest;
  }

  async *read(pin: DebianPin, statusEntry: Buffer, what: string): AsyncGenerator<TarMember, void, undefined> {
    const options = { what: `data.tar of ${what}` };
    const { bytes, compression } = this.#deb.data;
    for await (const member of readTar(decompress(bytes, compression, { ...options, spool: this.#spool }), options)) {
      this.#newest = Math.max(this.#newest, member.mtime);
      yield member;
    }
    await this.#deb.finish();
    yield fileMember(statusEntryPath(pin.name), statusEntry, { mtime: this.#newest });
  }
}
