import { createReadStream, createWriteStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { canonicalLayerPath } from '../layer/canonical-layer-path.ts';
import { keepLayer } from '../layer/keep-layer.ts';
import { readListing } from '../layer/listing.ts';
import { readTar } from '../layer/read-tar.ts';
import { BuilditError } from '../model/errors.ts';
import type { KeptLayer } from '../model/layer.ts';
import type { FileCapabilities, SubpackageRule } from '../model/package.ts';
import { pathGlob } from '../model/path-glob.ts';
import type { PackageRecord } from '../model/record.ts';
import type { Store } from '../store/store.ts';
import { temporaryPath } from '../store/temporary.ts';
import { giveCapabilities } from './give-capabilities.ts';

export interface OutputRules {
  /** What the package is called in messages. */
  readonly name: string;
  /** The time of every entry, in seconds. */
  readonly sourceDate: number;
  /** The base layer brings the links of a merged /usr itself; paths of all others are rewritten to where they lead. */
  readonly ownsTopLinks: boolean;
  /** Parts that become layers of their own; one that no file belongs to is left out. */
  readonly subpackages?: readonly SubpackageRule[] | undefined;
  readonly capabilities?: readonly FileCapabilities[] | undefined;
}

/**
 * Makes layers of what a build packed, one for the package (`main`) and one for each sub-package: read strictly, owned by
 * root, all of one time.
 */
export async function keepOutput(
  store: Store,
  output: AsyncIterable<Uint8Array>,
  rules: OutputRules,
): Promise<PackageRecord['outputs']> {
  const { name, subpackages = [] } = rules;
  if (subpackages.length === 0) {
    const main = await keepPart(store, output, rules, undefined);
    await refuseEmpty(store, name, [main]);
    return { main };
  }
  const partOf = partFinder(subpackages);
  const spool = await temporaryPath(store, 'output');
  try {
    await pipeline(Readable.from(output), createWriteStream(spool, { flags: 'wx', mode: 0o600 }));
    const outputs: Record<string, KeptLayer> = {};
    for (const part of ['main', ...subpackages.map((rule) => rule.name)]) {
      const layer = await keepPart(store, createReadStream(spool), rules, (path) => partOf(path) === part);
      if (part === 'main' || (await filesOf(store, layer)).length > 0) outputs[part] = layer;
    }
    await refuseEmpty(store, name, Object.values(outputs));
    return outputs;
  } finally {
    await unlink(spool).catch(() => undefined);
  }
}

async function keepPart(
  store: Store,
  output: AsyncIterable<Uint8Array>,
  { name, sourceDate, ownsTopLinks, capabilities }: OutputRules,
  isOwn: ((path: string) => boolean) | undefined,
): Promise<KeptLayer> {
  const what = `output of ${name}`;
  const place = ownsTopLinks ? samePath : canonicalLayerPath;
  const packed = readTar(output, { what });
  const members = capabilities === undefined ? packed : giveCapabilities(packed, { name, files: capabilities, place });
  return keepLayer(store, members, {
    mtime: { kind: 'fixed', seconds: sourceDate },
    owner: 'root',
    what,
    mapPath: isOwn === undefined ? place : ownPath(place, isOwn),
  });
}

function samePath(path: string): string {
  return path;
}

function ownPath(place: typeof canonicalLayerPath, isOwn: (path: string) => boolean): typeof canonicalLayerPath {
  return (path) => {
    const placed = place(path);
    return placed !== undefined && isOwn(placed) ? placed : undefined;
  };
}

/** Says whose a path is: of the first sub-package with a pattern that fits, else of the package itself. */
export function partFinder(subpackages: readonly SubpackageRule[]): (path: string) => string {
  const rules = subpackages.map(({ name, files }) => ({
    name,
    fits: files.map((pattern) => pathGlob(pattern)!),
  }));
  return (path) => rules.find(({ fits }) => fits.some((matches) => matches(path)))?.name ?? 'main';
}

/** Paths of everything in a layer that is no directory. */
async function filesOf(store: Store, layer: KeptLayer): Promise<readonly string[]> {
  const listing = await readListing(store, layer.listing);
  return listing.filter(({ type }) => type !== 'directory').map(({ path }) => path);
}

/** Where the phase `licenses` puts texts that lie beside the sources, whatever else the build gives. */
const LICENSE_TEXTS = 'usr/share/licenses/';

async function refuseEmpty(store: Store, name: string, layers: readonly KeptLayer[]): Promise<void> {
  let licenses = 0;
  for (const layer of layers) {
    const files = await filesOf(store, layer);
    if (files.some((path) => !path.startsWith(LICENSE_TEXTS))) return;
    licenses += files.length;
  }
  const found = licenses === 0 ? 'none' : 'none but texts of its licence';
  throw new BuilditError('build-failed', `Cannot keep "${name}": expected files below $DESTDIR, found ${found}`, {
    hint: 'the install phase must put files below $DESTDIR; some need it as an argument: make install DESTDIR="$DESTDIR"',
  });
}
