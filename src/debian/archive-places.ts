import type { Config } from '../model/config.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type AptSource, archiveRoot, readAptSources } from './apt-sources.ts';

/** A place that may have a Debian archive. `asOfMs` is there for states of the past, whose own time counts. */
export interface ArchivePlace {
  /** URL without a trailing slash; `dists/` and `pool/` lie below it. */
  readonly root: string;
  readonly kind: 'mirror' | 'apt' | 'snapshot';
  readonly asOfMs?: number;
}

/** Where archives are looked for besides the configuration; given by tests that bring their own. */
export interface ArchiveSurroundings {
  /** Directory of the host's apt configuration. */
  readonly aptDirectory?: string;
  /** Root of the snapshot service: `/<archive>/<timestamp>/` lies below it. */
  readonly snapshot?: string;
}

const SNAPSHOT = 'https://snapshot.debian.org/archive';

/** Names that Debian gives to its suites, now or in the next years; a source of other suites is another distribution's. */
const DEBIAN_SUITE =
  /^(bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)(-security|-updates|-backports(-sloppy)?|-proposed-updates)?$/;

/** The archive a suite belongs to, by the name the snapshot service has for it. */
export function archiveOfSuite(suite: string): string {
  return suite.endsWith('-security') ? 'debian-security' : 'debian';
}

/**
 * The places to look for a suite, in order: the configured mirror, the host's apt sources (those that name the suite
 * first), then the snapshot service as of a date. Whether a place really has the suite is seen when it is asked.
 */
export function archivePlaces(
  suite: string,
  config: Pick<Config, 'debian'>,
  asOfMs: number,
  { aptDirectory, snapshot = SNAPSHOT }: ArchiveSurroundings = {},
): readonly ArchivePlace[] {
  const archive = archiveOfSuite(suite);
  const mirrors = config.debian.mirror === undefined ? [] : mirrorRoots(config.debian.mirror, archive);
  const places: ArchivePlace[] = [
    ...mirrors.map((root) => ({ root, kind: 'mirror' as const })),
    ...aptRoots(readAptSources(aptDirectory), suite).map((root) => ({ root, kind: 'apt' as const })),
    { root: `${snapshot}/${archive}/${snapshotTime(asOfMs)}`, kind: 'snapshot', asOfMs },
  ];
  return places.filter(({ root }, index) => places.findIndex((place) => place.root === root) === index);
}

/** A mirror is named by its `debian` archive; `debian-security` lies beside it, where the mirror has it. */
function mirrorRoots(mirror: string, archive: string): readonly string[] {
  const root = archiveRoot(mirror);
  if (root === undefined) {
    throw new BuilditError(
      'configuration-invalid',
      `Cannot use "${printable(mirror)}" as debian.mirror: expected an http or https address of a Debian archive`,
    );
  }
  if (archive === 'debian') return [root];
  const beside = root.replace(/\/debian(?=\/|$)/, `/${archive}`);
  return beside === root ? [root] : [beside, root];
}

function aptRoots(sources: readonly AptSource[], suite: string): readonly string[] {
  const naming = sources.filter(({ suites }) => suites.includes(suite));
  const debians = sources.filter(({ suites }) =>
    suites.some((name) => DEBIAN_SUITE.test(name) && archiveOfSuite(name) === archiveOfSuite(suite)),
  );
  return [...naming, ...debians].map(({ root }) => root);
}

/** The snapshot service answers for any time with the last state it has from before. */
export function snapshotTime(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:]/g, '');
}
