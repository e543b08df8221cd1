import type { PhaseName } from '../model/package.ts';
import { multiarchTriplet, type Platform } from '../model/platform.ts';
import { SANDBOX_PATHS } from '../model/sandbox-contract.ts';
import { DEBIAN_CLASS } from './debian-class.ts';

/** How a kind of source tree is built: what a recipe's `class` stands for. All of it enters the HASH. */
export interface BuildClass {
  readonly phases: Readonly<Partial<Record<PhaseName, string>>>;
  /** Debian packages the phases call. */
  readonly tools: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export const CLASS_NAMES = ['autotools', 'cmake', 'debian', 'make', 'meson', 'none'] as const;
export type ClassName = (typeof CLASS_NAMES)[number];

export function buildClass(name: ClassName, platform: Platform): BuildClass {
  const triplet = multiarchTriplet(platform);
  switch (name) {
    case 'autotools':
      return autotools(triplet);
    case 'cmake':
      return cmake(triplet);
    case 'debian':
      return DEBIAN_CLASS;
    case 'make':
      return make();
    case 'meson':
      return meson(triplet);
    case 'none':
      return { phases: {}, tools: [], environment: {} };
  }
}

/**
 * Hardening as Debian's dpkg-buildflags has it. Paths of the source tree in assertions and debug information become
 * /usr/src, so that no path of the build is in the result.
 */
const HARDENING = `-O2 -fstack-protector-strong -Wformat -Werror=format-security -ffile-prefix-map=${SANDBOX_PATHS.source}=/usr/src`;
const FORTIFY = '-D_FORTIFY_SOURCE=2';
const LINKING = '-Wl,-z,relro -Wl,-z,now';

const COMPILER_ENVIRONMENT = { CFLAGS: HARDENING, CXXFLAGS: HARDENING, CPPFLAGS: FORTIFY, LDFLAGS: LINKING };

function autotools(triplet: string): BuildClass {
  return {
    phases: {
      prepare: 'if [ ! -e configure ] && [ -e configure.ac -o -e configure.in ]; then autoreconf -fi; fi',
      configure: [
        './configure --prefix=/usr --sysconfdir=/etc --localstatedir=/var',
        `--libdir=/usr/lib/${triplet} --mandir=/usr/share/man --infodir=/usr/share/info $BUILDIT_CONFIGURE`,
      ].join(' '),
      build: 'make -j"$JOBS"',
      check: 'make check',
      install: [
        // Some Makefiles set DESTDIR themselves: only an argument of make wins over that.
        'make install DESTDIR="$DESTDIR"',
        // libtool archives name build-time paths; the info index is shared by all packages.
        'find "$DESTDIR" -name "*.la" -type f -delete',
        'rm -f "$DESTDIR/usr/share/info/dir"',
      ].join('\n'),
    },
    tools: [],
    environment: COMPILER_ENVIRONMENT,
  };
}

function make(): BuildClass {
  return {
    phases: {
      build: 'make -j"$JOBS" PREFIX=/usr prefix=/usr $BUILDIT_CONFIGURE',
      check: 'make check PREFIX=/usr prefix=/usr $BUILDIT_CONFIGURE',
      install: 'make install DESTDIR="$DESTDIR" PREFIX=/usr prefix=/usr $BUILDIT_CONFIGURE',
    },
    tools: [],
    environment: COMPILER_ENVIRONMENT,
  };
}

function cmake(triplet: string): BuildClass {
  return {
    phases: {
      configure: [
        'cmake -S . -B buildit-build -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX=/usr',
        `-DCMAKE_INSTALL_LIBDIR=lib/${triplet} -DCMAKE_INSTALL_SYSCONFDIR=/etc -DCMAKE_INSTALL_LOCALSTATEDIR=/var`,
        '-DCMAKE_SKIP_INSTALL_RPATH=ON -DFETCHCONTENT_FULLY_DISCONNECTED=ON $BUILDIT_CONFIGURE',
      ].join(' '),
      build: 'cmake --build buildit-build -j "$JOBS"',
      check: 'ctest --test-dir buildit-build --output-on-failure -j "$JOBS"',
      install: 'DESTDIR="$DESTDIR" cmake --install buildit-build',
    },
    tools: ['cmake', 'ninja-build'],
    // cmake reads no CPPFLAGS.
    environment: { CFLAGS: `${HARDENING} ${FORTIFY}`, CXXFLAGS: `${HARDENING} ${FORTIFY}`, LDFLAGS: LINKING },
  };
}

function meson(triplet: string): BuildClass {
  return {
    phases: {
      configure: [
        'meson setup buildit-build --prefix=/usr --sysconfdir=/etc --localstatedir=/var',
        `--libdir=lib/${triplet} --buildtype=plain --wrap-mode=nodownload $BUILDIT_CONFIGURE`,
      ].join(' '),
      build: 'ninja -C buildit-build -j "$JOBS"',
      check: 'meson test -C buildit-build --print-errorlogs',
      install: 'DESTDIR="$DESTDIR" meson install -C buildit-build --no-rebuild',
    },
    tools: ['meson', 'ninja-build', 'pkgconf'],
    environment: COMPILER_ENVIRONMENT,
  };
}
