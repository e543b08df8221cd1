import { BuilditError } from '../model/errors.ts';
import type { DebianSet } from '../model/lock.ts';
import { isSuiteName } from '../model/names.ts';
import { archiveOfSuite } from './archive-places.ts';
import type { ArchiveSession } from './archive-session.ts';
import { fetchIndex, type IndexReader } from './fetch-index.ts';
import { fetchRelease, type VerifiedSuite } from './fetch-release.ts';
import type { AvailablePackage, IndexedPackage } from './indexed-package.ts';
import { PACKAGE_TABLE_FORMAT, packageTable, parsePackageTable } from './package-table.ts';
import { createUniverse, type PackageUniverse } from './package-universe.ts';
import { parsePackages } from './parse-packages.ts';
import { isoDate } from './release.ts';
import { type ResolvedPackages, type ResolveRequest, resolveNeeds, resolvePackages } from './resolve-packages.ts';

export interface OpenArchiveOptions extends ArchiveSession {
  /** In order of preference where two suites have the same version. */
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** Debian's name: `amd64`. */
  readonly architecture: string;
  /** ISO 8601: the state to look at where only the snapshot service is left; now by default. */
  readonly date?: string | undefined;
}

/** The verified indices of some suites, all in memory. */
export interface DebianArchive {
  readonly suites: readonly { readonly suite: string; readonly root: string; readonly date: string }[];
  readonly universe: PackageUniverse;
  /** Chooses packages that satisfy the wants and each other's dependencies. Pure; throws `dependency-unsatisfied`. */
  resolve(request: ResolveRequest): DebianSet;
  /** As `resolve`, with what was chosen for each of the `needs`. */
  resolveNeeds(request: ResolveRequest): ResolvedPackages;
}

/** Fetches and verifies the indices of the suites, or takes them from the store. */
export async function openArchive(options: OpenArchiveOptions): Promise<DebianArchive> {
  const { suites, components, architecture, date, ...session } = options;
  const now = (session.now ?? Date.now)();
  const asOfMs = date === undefined ? now : Date.parse(date);
  const opened = await Promise.all(
    suites.map(async (suite) => {
      if (!isSuiteName(suite))
        throw new BuilditError('input-invalid', `Cannot open the Debian suite "${suite}": not a name`);
      const verified = await fetchRelease(suite, asOfMs, session);
      const parts = await Promise.all(
        components.map((component) =>
          fetchIndex(verified, `${component}/binary-${architecture}/Packages`, packagesReader(architecture), session),
        ),
      );
      return { verified, packages: parts.flat() };
    }),
  );
  const universe = createUniverse(
    opened.flatMap(({ verified, packages }) => available(packages, verified)),
    architecture,
  );
  return {
    suites: opened.map(({ verified }) => ({
      suite: verified.suite,
      root: verified.place.root,
      date: isoDate(verified.release.dateMs),
    })),
    universe,
    resolve: (request) => resolvePackages(universe, request),
    resolveNeeds: (request) => resolveNeeds(universe, request),
  };
}

function available(packages: readonly IndexedPackage[], { suite, release }: VerifiedSuite): AvailablePackage[] {
  const place = { suite, archive: archiveOfSuite(suite), date: isoDate(release.dateMs) };
  return packages.map((entry) => ({ ...entry, ...place }));
}

function packagesReader(architecture: string): IndexReader<IndexedPackage[]> {
  return {
    namespace: 'debian-packages',
    format: PACKAGE_TABLE_FORMAT,
    toText: (stanzas, place) => packageTable(parsePackages(stanzas, place, architecture)),
    fromText: parsePackageTable,
  };
}
