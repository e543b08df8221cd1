import { encodeLayer } from '../layer/encode-layer.ts';
import { keepLayer } from '../layer/keep-layer.ts';
import { hasLayer } from '../layer/open-layer.ts';
import type { LayerCompression } from '../model/container.ts';
import { DEBIAN_CONVERTER_VERSION } from '../model/identity.ts';
import { isNumber, objectOf, type Shape } from '../model/json-shape.ts';
import type { KeptLayer } from '../model/layer.ts';
import type { DebianPin } from '../model/lock.ts';
import { isKeptLayer } from '../model/record-shape.ts';
import { readNote, writeNote } from '../store/notes.ts';
import { plainJson } from '../store/plain-json.ts';
import { blobSize, openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { temporaryPath } from '../store/temporary.ts';
import { DebMembers } from './deb-members.ts';
import { type OpenedDeb, openDeb } from './open-deb.ts';
import { readStatusEntry } from './status-entry.ts';

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
const isConvertedDeb: Shape<ConvertedDeb> = objectOf({ layer: isKeptLayer, sourceDate: isNumber });

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
  const layer = await keepLayer(store, members.read(pin.name, statusEntry, what), {
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
  const note = await readNote(store, NOTES, noteKey(pin), isConvertedDeb);
  if (note === undefined) return undefined;
  const isThere = (await blobSize(store, note.layer.listing)) !== undefined && (await hasLayer(store, note.layer));
  if (!isThere) return undefined;
  if (encode !== undefined) await encodeLayer(store, note.layer, encode);
  return note;
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
