import { keepLayer } from '../layer/keep-layer.ts';
import { readTar } from '../layer/read-tar.ts';
import type { TarMember } from '../layer/tar-member.ts';
import { BuilditError } from '../model/errors.ts';
import type { KeptLayer } from '../model/layer.ts';
import { isDebianPackageName, printable } from '../model/names.ts';
import { putBlob } from '../store/put-blob.ts';
import { openBlob } from '../store/read-blob.ts';
import type { Store } from '../store/store.ts';
import { temporaryPath } from '../store/temporary.ts';
import { readControlFiles } from './control-files.ts';
import { DebMembers } from './deb-members.ts';
import { type OpenedDeb, openDeb } from './open-deb.ts';
import { statusEntry } from './status-entry.ts';

/**
 * Makes a layer of each binary package that a build left at the top of its output, as `convertDeb` does of those of the
 * archive: files with their owners, modes and times, and a status entry. `output` is a tar, `name` the package's in
 * messages. Answers the layers by the names of the binary packages; throws 'build-failed' where there are none.
 */
export async function keepDebs(
  store: Store,
  output: AsyncIterable<Uint8Array>,
  name: string,
): Promise<Readonly<Record<string, KeptLayer>>> {
  const what = `output of ${name}`;
  const layers: Record<string, KeptLayer> = {};
  for await (const member of readTar(output, { what })) {
    if (member.type === 'directory') continue;
    if (member.type !== 'file' || !/^[^/]+\.deb$/.test(member.path)) throw unexpected(name, member);
    const { digest } = await putBlob(store, member.content, { what: member.path });
    const deb = await openDeb(openBlob(store, digest), member.path);
    try {
      const [binary, layer] = await keepDeb(store, deb, member.path);
      if (Object.hasOwn(layers, binary)) throw unexpected(name, member);
      layers[binary] = layer;
    } finally {
      await deb.close();
    }
  }
  if (Object.keys(layers).length > 0) return layers;
  throw new BuilditError('build-failed', `Cannot keep "${name}": expected binary packages in $DESTDIR, found none`, {
    hint: 'the install phase of class debian copies what dpkg-buildpackage left in /build',
  });
}

async function keepDeb(store: Store, deb: OpenedDeb, what: string): Promise<readonly [string, KeptLayer]> {
  const files = await readControlFiles(deb.control, ['control'], what);
  const { stanza, entry } = statusEntry(files.get('control')!, what);
  const binary = stanza.get('Package') ?? '';
  if (!isDebianPackageName(binary)) {
    throw new BuilditError('build-failed', `Cannot keep "${printable(what)}": its control file names no package`);
  }
  const spool = await temporaryPath(store, 'data.tar');
  const layer = await keepLayer(store, new DebMembers(deb, spool).read(binary, entry, what), {
    mtime: { kind: 'archive' },
    owner: 'archive',
    what,
  });
  return [binary, layer];
}

function unexpected(name: string, { path }: TarMember): BuilditError {
  return new BuilditError(
    'build-failed',
    `Cannot keep "${name}": expected nothing but one .deb of each binary package in $DESTDIR, found ${printable(path)}`,
  );
}
