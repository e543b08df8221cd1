import type { ArchiveSession } from './archive-session.ts';
import { fetchIndex } from './fetch-index.ts';
import { fetchRelease, type VerifiedSuite } from './fetch-release.ts';
import { SOURCE_INDEX, type SourceIndex } from './source-index.ts';

/** A suite and the source packages of its components. */
export interface SourceSuite {
  readonly verified: VerifiedSuite;
  readonly components: readonly SourceIndex[];
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

async function readSuite(suite: string, names: readonly string[], session: ArchiveSession): Promise<SourceSuite> {
  const verified = await fetchRelease(suite, (session.now ?? Date.now)(), session);
  const components: SourceIndex[] = [];
  for (const name of names)
    components.push(await fetchIndex(verified, `${name}/source/Sources`, SOURCE_INDEX, session));
  return { verified, components };
}
