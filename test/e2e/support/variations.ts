import { join } from 'node:path';
import { installNode, NODE_RELEASES } from './node-versions.ts';
import type { Place } from './place.ts';
import type { InstalledRun } from './run-installed.ts';
import { bubblewrapWithClock, clockLibrary, clockOneYearOn } from './sandbox-clock.ts';

/** One respect in which two machines, or two people at one machine, differ, and which no image may depend on. */
export interface Variation {
  readonly title: string;
  /** Where the clone and the container lie, in place of the usual names. */
  readonly names?: { readonly installation: string; readonly home: string };
  readonly isOtherUser?: true;
  /** The files are fetched before, by today's clock: one year later the certificates of their servers have expired. */
  readonly isLater?: true;
  readonly changes: (place: Place) => VariedRun;
  /** What it takes besides what every build takes. */
  readonly needs: readonly string[];
}

export interface VariedRun extends Pick<InstalledRun, 'node' | 'hostName' | 'umask' | 'environment'> {
  readonly args?: readonly string[];
}

const odd = 'Ein anderer Ort — with spaces, äöü';

export const VARIATIONS: readonly Variation[] = [
  {
    title: 'for a clone and a directory at other paths',
    names: { installation: `${odd}/clone`, home: `${odd}/of/a/container` },
    needs: [],
    changes: () => ({}),
  },
  { title: 'for another user', isOtherUser: true, needs: ['root'], changes: () => ({}) },
  { title: 'with umask 077', needs: [], changes: () => ({ umask: '077' }) },
  { title: 'in another time zone', needs: [], changes: () => ({ environment: { TZ: 'Pacific/Kiritimati' } }) },
  {
    title: 'in another locale',
    needs: [],
    changes: () => ({ environment: { LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', LANGUAGE: 'tr:de' } }),
  },
  { title: 'one year later', isLater: true, needs: ['faketime'], changes: oneYearLater },
  { title: 'with one job', needs: [], changes: () => ({ args: ['--jobs', '1'] }) },
  { title: 'with three jobs', needs: [], changes: () => ({ args: ['--jobs', '3'] }) },
  { title: 'on a machine of another name', needs: [], changes: () => ({ hostName: 'another-machine.example' }) },
  { title: 'in an environment full of other things', needs: [], changes: () => ({ environment: strangeEnvironment }) },
  ...NODE_RELEASES.filter((release) => !process.version.startsWith(`v${release}.`)).map((release) => ({
    title: `with Node ${release}`,
    needs: ['npm'],
    changes: (place: Place) => ({ node: installNode(place, release) }),
  })),
];

/** Names that compilers, make, tar, xz, shells and Node listen to. */
const strangeEnvironment: Readonly<Record<string, string>> = {
  CC: 'false',
  CFLAGS: '-O0 -g3 -DSTRANGE=1',
  CPATH: '/nowhere/include',
  LDFLAGS: '-Wl,--build-id=0x1234',
  LD_LIBRARY_PATH: '/nowhere/lib',
  MAKEFLAGS: '-n',
  CONFIG_SITE: '/nowhere/config.site',
  DESTDIR: '/nowhere',
  SOURCE_DATE_EPOCH: '1',
  BASH_ENV: '/nowhere/bashrc',
  TAR_OPTIONS: '--owner=nobody',
  XZ_OPT: '--format=raw',
  GZIP: '-1',
  ZSTD_CLEVEL: '19',
  POSIXLY_CORRECT: '1',
  PERL5LIB: '/nowhere/perl',
  PYTHONPATH: '/nowhere/python',
  NODE_PATH: '/nowhere/node',
  EDITOR: 'ed',
};

function oneYearLater(place: Place): VariedRun {
  const library = clockLibrary()!;
  const programs = bubblewrapWithClock(join(place.path, 'programs-with-clock'), library);
  return { environment: { ...clockOneYearOn(library), PATH: `${programs}:${process.env.PATH}` } };
}

/**
 * Several variations as one; of two that exclude each other the later one counts. Who has no other user to become does
 * without that one.
 */
export function allAtOnce(title: string, variations: readonly Variation[]): Variation {
  const names = variations.find((variation) => variation.names !== undefined)?.names;
  return {
    title,
    ...(names === undefined ? {} : { names }),
    ...(variations.some(({ isOtherUser }) => isOtherUser) ? { isOtherUser: true } : {}),
    ...(variations.some(({ isLater }) => isLater) ? { isLater: true } : {}),
    needs: variations.flatMap(({ needs }) => needs).filter((need) => need !== 'root'),
    changes: (place) => {
      const all = variations.map(({ changes }) => changes(place));
      return Object.assign({}, ...all, {
        environment: Object.assign({}, ...all.map(({ environment = {} }) => environment)),
      }) as VariedRun;
    },
  };
}
