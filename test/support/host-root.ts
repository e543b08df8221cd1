import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { keepLayer } from '../../src/layer/keep-layer.ts';
import { fileMember, type TarMember } from '../../src/layer/tar-member.ts';
import type { KeptLayer } from '../../src/model/layer.ts';
import { multiarchTriplet } from '../../src/model/platform.ts';
import type { Store } from '../../src/store/store.ts';
import { hostPlatform } from '../../src/system/host-platform.ts';
import { programPath } from './requires.ts';

/** What a root needs for packing and for the scripts of these tests. */
export const ROOT_PROGRAMS: readonly string[] = [
  ...['bash', 'cat', 'chmod', 'cp', 'cut', 'date', 'dd', 'env', 'find', 'grep', 'head', 'hostname', 'id', 'ln', 'ls'],
  ...['mkdir', 'mkfifo', 'mv', 'nproc', 'perl', 'rm', 'sed', 'setsid', 'sleep', 'sort', 'stat', 'tar', 'test', 'touch'],
  ...['tr', 'true', 'truncate', 'uname', 'wc'],
];

/** Keeps a layer of this machine's own programs with the libraries they need: a root without any archive. */
export async function keepHostLayer(store: Store, programs: readonly string[] = ROOT_PROGRAMS): Promise<KeptLayer> {
  const files = new Map<string, string>();
  for (const name of programs) {
    const program = programPath(name);
    if (program === undefined) throw new Error(`This machine has no ${name}`);
    files.set(`usr/bin/${name}`, realpathSync(program));
    for (const library of librariesOf(program)) files.set(placeOf(library), realpathSync(library));
  }
  // Where buildit's own programs in a sandbox look for their loader.
  const triplet = multiarchTriplet(hostPlatform());
  for (const [path, source] of [...files]) {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (name.startsWith('ld-linux')) files.set(`usr/lib/${triplet}/${name}`, source);
  }
  const locale = '/usr/lib/locale/C.utf8';
  if (existsSync(locale)) {
    for (const name of readdirSync(locale, { recursive: true, encoding: 'utf8' })) {
      const path = `${locale}/${name}`;
      if (statSync(path).isFile()) files.set(path.slice(1), path);
    }
  }
  return keepLayer(store, membersOf(files), { mtime: { kind: 'fixed', seconds: 1_000_000_000 }, owner: 'root' });
}

async function* membersOf(files: ReadonlyMap<string, string>): AsyncGenerator<TarMember> {
  for (const [path, source] of files) yield fileMember(path, readFileSync(source), { mode: 0o755 });
}

/** Libraries and the loader, as `ldd` names them. */
function librariesOf(program: string): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, path]) => path!);
}

function placeOf(library: string): string {
  const path = library.replace(/^\//, '');
  return path.startsWith('usr/') ? path : `usr/${path}`;
}
