import { keepLayer } from '../layer/keep-layer.ts';
import { readListing } from '../layer/listing.ts';
import { readTar } from '../layer/read-tar.ts';
import { BuilditError } from '../model/errors.ts';
import type { KeptLayer } from '../model/layer.ts';
import type { Store } from '../store/store.ts';

export interface OutputRules {
  /** What the package is called in messages. */
  readonly name: string;
  /** The time of every entry, in seconds. */
  readonly sourceDate: number;
  /** The base layer brings the links of a merged /usr itself; paths of all others are rewritten to where they lead. */
  readonly ownsTopLinks: boolean;
}

/** Makes a package's layer of what its build packed: read strictly, owned by root, all of one time. */
export async function keepOutput(
  store: Store,
  output: AsyncIterable<Uint8Array>,
  { name, sourceDate, ownsTopLinks }: OutputRules,
): Promise<KeptLayer> {
  const what = `output of ${name}`;
  const layer = await keepLayer(store, readTar(output, { what }), {
    mtime: { kind: 'fixed', seconds: sourceDate },
    owner: 'root',
    what,
    ...(ownsTopLinks ? { mapPath: (path: string) => path } : {}),
  });
  const listing = await readListing(store, layer.listing);
  if (listing.every(({ type }) => type === 'directory')) throw emptyOutput(name);
  return layer;
}

function emptyOutput(name: string): BuilditError {
  return new BuilditError('build-failed', `Cannot keep "${name}": expected files below $DESTDIR, found none`, {
    hint: 'the install phase must put files below $DESTDIR; some need it as an argument: make install DESTDIR="$DESTDIR"',
  });
}
