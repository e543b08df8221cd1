import type { Definitions } from '../model/container.ts';
import type { ContainerLock } from '../model/lock.ts';

/** A suite of updates belongs to its release: `bookworm-security`. */
const OF_RELEASE = /-(?:security|updates|proposed-updates|backports)$/;
const MOST_NAMED = 5;

/**
 * A sentence where packages of two Debian releases come into one image: those that are built come from their own
 * repository's suite, Debian's all from that of the first repository. Undefined where one release is all there is.
 */
export function mixedReleases(
  { repositories, packages }: Pick<Definitions, 'repositories' | 'packages'>,
  { debian }: Pick<ContainerLock, 'debian'>,
): string | undefined {
  const releaseOf = new Map(repositories.map(({ name, debian: { suites } }) => [name, release(suites[0] ?? '')]));
  const members = new Map<string, string[]>();
  const add = (suite: string | undefined, name: string) => {
    if (suite !== undefined && suite !== '') members.set(suite, [...(members.get(suite) ?? []), name]);
  };
  for (const { name, repository } of packages) add(releaseOf.get(repository), name);
  for (const { name, suite } of Object.values(debian)) add(release(suite), `debian/${name}`);
  if (members.size < 2) return undefined;
  const parts = [...members].map(([suite, names]) => `${suite} (${shown(names)})`);
  return `the image mixes packages of ${parts.join(' and ')}: mixing Debian releases is not supported, and os-release names one of them only`;
}

/** A sentence where images take no security updates, which come in a suite of their own. */
export function withoutSecurity({ repositories }: Pick<Definitions, 'repositories'>): string | undefined {
  const suites = repositories[0]?.debian.imageSuites ?? ['bookworm'];
  if (suites.some((suite) => suite.endsWith('-security'))) return undefined;
  return `images take Debian packages from ${suites.join(', ')} only: security updates since its last point release are not in it`;
}

function release(suite: string): string {
  return suite.replace(OF_RELEASE, '');
}

function shown(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return more > 0 ? `${names.slice(0, MOST_NAMED).join(', ')} and ${more} more` : names.join(', ');
}
