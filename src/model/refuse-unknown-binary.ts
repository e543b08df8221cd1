import { BuilditError } from './errors.ts';
import type { DebianSourcePin } from './lock.ts';
import type { ResolvedPackage } from './package.ts';

/** Enough to choose from in one line. */
const MOST_SHOWN = 12;
const SELDOM_IN_IMAGES = /-(?:dbg|dbgsym|dev|doc|source|udeb)(?:-|$)/;

/**
 * Throws where a package of a Debian source package is to give a binary package that its source does not make, such as the
 * one of its own name: which ones there are, and the line that names them.
 */
export function refuseUnknownBinary(
  { name, position, debianSource }: Pick<ResolvedPackage, 'name' | 'position' | 'debianSource'>,
  pin: Pick<DebianSourcePin, 'name' | 'version' | 'binaries'>,
): void {
  const unknown = debianSource?.binaries.find((binary) => !pin.binaries.includes(binary));
  if (unknown === undefined) return;
  const known = pin.binaries.toSorted();
  const usual = known.filter((binary) => !SELDOM_IN_IMAGES.test(binary));
  const shown = (usual.length > 0 ? usual : known).slice(0, MOST_SHOWN);
  const more = known.length > shown.length ? ` (and ${known.length - shown.length} more)` : '';
  throw new BuilditError(
    'definition-invalid',
    `Cannot use "${unknown}" of "${name}": expected a binary package of debian/${pin.name} ${pin.version}, found none of that name`,
    { position, hint: `choose in pkg.yaml: subpackages: [${shown.join(', ')}]${more}` },
  );
}
