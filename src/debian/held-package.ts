import type { DebianPin } from '../model/lock.ts';
import type { AvailablePackage } from './indexed-package.ts';
import type { PackageUniverse } from './package-universe.ts';

/**
 * A pinned package as one that can be chosen. What the lock does not say is taken from the index. Where the pinned
 * version has left it, the needs are those the lock remembers, and what it provides is what the newest version does.
 */
export function heldPackage(pin: DebianPin, universe: PackageUniverse): AvailablePackage {
  const versions = universe.versions(pin.name);
  const same = versions.find(({ version, sha256 }) => version === pin.version && sha256 === pin.sha256);
  if (same !== undefined) return same;
  const relative = versions[0];
  return {
    name: pin.name,
    version: pin.version,
    architecture: pin.architecture,
    multiArch: pin.multiArchSame === true ? 'same' : (relative?.multiArch ?? 'no'),
    essential: pin.essential === true,
    important: relative?.important ?? false,
    priority: relative?.priority ?? 5,
    preDepends: '',
    depends: pin.depends.join(', '),
    provides: ownVersionProvided(relative, pin.version),
    excludes: '',
    path: pin.path,
    size: pin.size,
    sha256: pin.sha256,
    source: pin.source,
    suite: pin.suite,
    archive: pin.archive,
    date: pin.date,
  };
}

/** `libz (= VERSION)` usually follows the version of the package itself. */
function ownVersionProvided(relative: AvailablePackage | undefined, version: string): string {
  return relative?.provides.replaceAll(`(= ${relative.version})`, `(= ${version})`) ?? '';
}
