import type { ArchiveSession } from './archive-session.ts';
import { fetchIndex } from './fetch-index.ts';
import { fetchRelease, type VerifiedSuite } from './fetch-release.ts';
import { SOURCE_PACKAGES, type SourcePackage } from './source-package.ts';

/** The source packages of one suite, by their names; of most there is one version. */
export interface SourceSuite {
  readonly verified: VerifiedSuite;
  readonly packages: ReadonlyMap<string, readonly SourcePackage[]>;
}

/** Reads the signed indices of a suite when it is first asked for, once, however many ask at the same time. */
export function openSourceSuites(
  components: readonly string[],
  session: ArchiveSession,
): (suite: string) => Promise<SourceSuite> {
  const suites = new Map<string, Promise<SourceSuite>>();
  return (suite) => {
    const known = suites.get(suite) ?? readSuite(suite, components, session);
    suites.set(suite, known);
    return known;
  };
}

async function readSuite(suite: string, components: readonly string[], session: ArchiveSession): Promise<SourceSuite> {
  const verified = await fetchRelease(suite, (session.now ?? Date.now)(), session);
  const packages = new Map<string, SourcePackage[]>();
  for (const component of components) {
    for (const entry of await fetchIndex(verified, `${component}/source/Sources`, SOURCE_PACKAGES, session)) {
      const versions = packages.get(entry.name);
      if (versions === undefined) packages.set(entry.name, [entry]);
      else versions.push(entry);
    }
  }
  return { verified, packages };
}
