import type { LayerListing } from '../../model/layer.ts';
import type { OutputFinding } from '../../model/output-lint.ts';

/** Where packages put their files (FHS 3.0), links of a merged /usr among it. */
const OWN_DIRECTORIES = new Set(
  ['bin', 'boot', 'etc', 'lib', 'lib32', 'lib64', 'libx32', 'opt', 'sbin', 'srv', 'usr', 'var'], // biome-ignore format: a list
);

/** Directories that are not for packages, and whose they are. */
const FOREIGN_DIRECTORIES: Readonly<Record<string, string>> = {
  build: 'the workspace of the build',
  dev: 'made by the container engine',
  home: 'of the users',
  media: 'for mounts',
  mnt: 'for mounts',
  out: 'where the build puts its output',
  proc: 'made by the container engine',
  root: 'the home of root',
  run: 'empty at every start',
  sys: 'made by the container engine',
  tmp: 'for temporary files',
  'usr/local': 'of the administrator',
  'usr/tmp': 'for temporary files',
  'var/lock': 'empty at every start',
  'var/run': 'empty at every start',
  'var/tmp': 'for temporary files',
};

/** Judges where a layer's entries lie and what they are called. */
export function lintPaths(
  listing: LayerListing,
  { ownsTopLinks }: { ownsTopLinks: boolean },
): readonly OutputFinding[] {
  return [...(ownsTopLinks ? [] : lintPlaces(listing)), ...lintCollisions(listing)];
}

/** A directory is told only where nothing lies in it: else what lies there is told. */
function lintPlaces(listing: LayerListing): readonly OutputFinding[] {
  const parents = new Set(listing.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('/')))));
  return listing.flatMap(({ type, path }): OutputFinding[] => {
    if (type === 'directory' && parents.has(path)) return [];
    const foreign = foreignDirectory(path);
    if (foreign !== undefined) {
      return [{ code: 'path-policy', path, found: `/${foreign} is ${FOREIGN_DIRECTORIES[foreign]}` }];
    }
    const top = path.split('/', 1)[0]!;
    if (OWN_DIRECTORIES.has(top)) return [];
    return [
      { code: 'unusual-path', path, found: top === path ? 'a name of its own in /' : `/${top} is no usual directory` },
    ];
  });
}

function foreignDirectory(path: string): string | undefined {
  const [first = '', second] = path.split('/', 2);
  if (Object.hasOwn(FOREIGN_DIRECTORIES, first)) return first;
  const both = `${first}/${second}`;
  return Object.hasOwn(FOREIGN_DIRECTORIES, both) ? both : undefined;
}

/**
 * Names of one directory that are the same where case does not count, or after Unicode normalisation: on such file systems
 * only one of them can be unpacked.
 */
function lintCollisions(listing: LayerListing): readonly OutputFinding[] {
  const known = new Map<string, string>();
  return listing.flatMap(({ path }): OutputFinding[] => {
    const slash = path.lastIndexOf('/') + 1;
    const key = path.slice(0, slash) + foldedName(path.slice(slash));
    const other = known.get(key);
    if (other !== undefined)
      return [{ code: 'name-collision', path, found: `the same as /${other} where case does not count` }];
    known.set(key, path);
    return [];
  });
}

function foldedName(name: string): string {
  return name.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
}
