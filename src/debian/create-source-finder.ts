import { BuilditError } from '../model/errors.ts';
import type { DebianSourceFormat } from '../model/lock.ts';
import { compareDebianVersions } from '../model/version-order.ts';
import { archiveOfSuite } from './archive-places.ts';
import type { ArchiveSession } from './archive-session.ts';
import type { VerifiedSuite } from './fetch-release.ts';
import { isoDate } from './release.ts';
import type { SourcePackage } from './source-package.ts';
import { openSourceSuites, type SourceSuite } from './source-suites.ts';

/** A source package of the archive that can be built, with where it was found. */
export interface FoundSource extends Omit<SourcePackage, 'format'> {
  readonly format: DebianSourceFormat;
  readonly suite: string;
  readonly archive: string;
  /** ISO 8601 in UTC: of the InRelease. */
  readonly date: string;
}

export interface FindSourcePackageOptions extends ArchiveSession {
  /** In order of preference where two suites have the same version. */
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

const FORMATS: readonly string[] = ['1.0', '3.0 (native)', '3.0 (quilt)'] satisfies DebianSourceFormat[];

export type FindSourcePackage = (wanted: {
  readonly name: string;
  readonly version?: string | undefined;
}) => Promise<FoundSource>;

/**
 * Finds source packages in the signed indices of some suites: the exact version that is wanted, else the newest. Throws
 * 'dependency-unsatisfied' where there is none, with the versions that are there. The indices are read when the first is
 * asked for.
 */
export function createSourceFinder({ suites, components, ...session }: FindSourcePackageOptions): FindSourcePackage {
  const suiteOf = openSourceSuites(components, session);
  return async (wanted) => {
    const all = await Promise.all(suites.map(suiteOf));
    const named = all
      .flatMap(({ verified, components }) =>
        components.flatMap((index) => index.named(wanted.name)).map((entry) => ({ ...entry, ...placeOf(verified) })),
      )
      .sort((a, b) => compareDebianVersions(b.version, a.version));
    const found = wanted.version === undefined ? named[0] : named.find(({ version }) => version === wanted.version);
    if (found === undefined) throw notFound(wanted, named, all, suites);
    if (!FORMATS.includes(found.format)) {
      throw new BuilditError(
        'dependency-unsatisfied',
        `Cannot build the Debian source package "${found.name}": expected one of the formats ${FORMATS.join(', ')}, found ${found.format}`,
      );
    }
    return found as FoundSource;
  };
}

function placeOf({ suite, release }: VerifiedSuite): Pick<FoundSource, 'suite' | 'archive' | 'date'> {
  return { suite, archive: archiveOfSuite(suite), date: isoDate(release.dateMs) };
}

function notFound(
  { name, version }: { readonly name: string; readonly version?: string | undefined },
  named: readonly SourcePackage[],
  all: readonly SourceSuite[],
  suites: readonly string[],
): BuilditError {
  if (named.length > 0) {
    const found = named.map((entry) => entry.version).join(', ');
    return new BuilditError(
      'dependency-unsatisfied',
      `Cannot find the Debian source package "${name}": expected version ${version}, found ${found}`,
      { hint: 'superseded versions leave the archive; without a version the newest one is taken' },
    );
  }
  const indices = all.flatMap(({ components }) => components);
  const maker = indices.map((index) => index.makerOf(name)).find((found) => found !== undefined);
  return new BuilditError(
    'dependency-unsatisfied',
    `Cannot find the Debian source package "${name}": expected it in ${suites.join(', ')}, found none of that name`,
    { hint: maker && `the binary package ${name} is made by debian/${maker.name}` },
  );
}
