import { isDigest } from '../model/digest.ts';
import { acceptArtefact, archiveName } from '../model/registry.ts';
import { type LockedArtefact, type LockText, lockRefusal, MAXIMUM_LOCKED } from './locked-artefact.ts';

interface CargoPackage {
  readonly line: number;
  name?: string;
  version?: string;
  source?: string;
  checksum?: string;
}

/**
 * The crates of a Cargo.lock of any version, which cargo itself wrote: of TOML no more than it writes is understood.
 * Packages without a source are the project's own. All others must come from one registry; what comes from git is refused.
 */
export function readCargoLock(lock: LockText): readonly LockedArtefact[] {
  const { packages, metadata } = parse(lock);
  const registries = new Set<string>();
  return packages.flatMap(({ line, name, version, source, checksum }) => {
    if (name === undefined || version === undefined) throw lockRefusal(lock, 'a name and a version', 'none', line);
    if (source === undefined) return [];
    registries.add(source);
    if (!/^(?:registry|sparse)\+/.test(source) || registries.size > 1) {
      throw lockRefusal(lock, 'crates of one registry', `${name} from ${source}`, line);
    }
    const digest = checksum ?? metadata.get(`checksum ${name} ${version} (${source})`);
    const artefact = acceptArtefact({
      ecosystem: 'cargo',
      name,
      version,
      fileName: archiveName('cargo', name, version),
    });
    if (artefact === undefined) throw lockRefusal(lock, 'a crate of a registry', `"${name}" ${version}`, line);
    if (digest === undefined || !isDigest(digest)) {
      throw lockRefusal(lock, `the checksum of ${name}`, digest ?? 'none', line);
    }
    return [{ artefact, checksum: { kind: 'sha256', hex: digest } as const }];
  });
}

function parse(lock: LockText): { packages: readonly CargoPackage[]; metadata: ReadonlyMap<string, string> } {
  const packages: CargoPackage[] = [];
  const metadata = new Map<string, string>();
  let section: 'top' | 'package' | 'metadata' | 'other' = 'top';
  let inList = false;
  for (const [index, raw] of lock.text.split('\n').entries()) {
    const line = raw.trim();
    if (inList) {
      inList = !line.startsWith(']');
      continue;
    }
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      section = line === '[[package]]' ? 'package' : line === '[metadata]' ? 'metadata' : 'other';
      if (section === 'package') packages.push({ line: index + 1 });
      if (packages.length > MAXIMUM_LOCKED) throw lockRefusal(lock, `at most ${MAXIMUM_LOCKED} packages`, 'more');
      continue;
    }
    const [, bare, quoted, value] = /^(?:([A-Za-z_-]+)|"([^"\\]*)") = (.*)$/.exec(line) ?? [];
    if (value === undefined) throw lockRefusal(lock, 'a line as cargo writes them', `"${line}"`, index + 1);
    inList = value === '[';
    const text = /^"([^"\\]*)"$/.exec(value)?.[1];
    if (section === 'metadata' && text !== undefined) metadata.set(quoted ?? bare!, text);
    if (section !== 'package' || text === undefined) continue;
    const current = packages.at(-1)!;
    if (bare === 'name' || bare === 'version' || bare === 'source' || bare === 'checksum') {
      if (current[bare] !== undefined) throw lockRefusal(lock, `"${bare}" once`, 'it again', index + 1);
      current[bare] = text;
    }
  }
  return { packages, metadata };
}
