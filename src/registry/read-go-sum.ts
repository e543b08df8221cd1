import { acceptArtefact, archiveName, goModName } from '../model/registry.ts';
import { type LockedArtefact, type LockText, lockRefusal, MAXIMUM_LOCKED } from './locked-artefact.ts';

const LINE = /^(\S+) (v[^\s/]+)(\/go\.mod)? h1:([A-Za-z0-9+/]{43}=)$/;

/** The modules of a go.sum: each line names a module's zip or its go.mod alone. */
export function readGoSum(lock: LockText): readonly LockedArtefact[] {
  const found = new Map<string, LockedArtefact>();
  for (const [index, line] of lock.text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, name, version, mod, base64] = LINE.exec(line.trimEnd()) ?? [];
    if (name === undefined || version === undefined) {
      throw lockRefusal(lock, 'MODULE VERSION h1:HASH', `"${line}"`, index + 1);
    }
    const fileName = mod === undefined ? archiveName('go', name, version) : goModName(version);
    const artefact = acceptArtefact({ ecosystem: 'go', name, version, fileName });
    if (artefact === undefined) throw lockRefusal(lock, 'a module and its version', `"${name}" ${version}`, index + 1);
    const key = `${name}@${fileName}`;
    const known = found.get(key);
    if (known !== undefined && known.checksum.kind === 'h1' && known.checksum.base64 !== base64) {
      throw lockRefusal(lock, `one checksum of ${name}`, 'two', index + 1);
    }
    found.set(key, { artefact, checksum: { kind: 'h1', base64: base64! } });
    if (found.size > MAXIMUM_LOCKED) throw lockRefusal(lock, `at most ${MAXIMUM_LOCKED} lines`, 'more');
  }
  return [...found.values()];
}
