import { isDebianPackageName } from '../../model/names.ts';
import type { DependencyKind } from '../recipe-draft.ts';

/** What a name of another system means here; several where a library and its headers are two packages of Debian. */
export interface KnownName {
  readonly atoms: readonly string[];
  /** Where it belongs whatever the other system says; undefined: as it says. */
  readonly kind?: DependencyKind;
}

/** Part of every build root, or of a class. */
const PRESENT =
  'build-base gcc g++ make binutils musl musl-dev libc-dev linux-headers patch file sed grep gawk tar gzip coreutils ' +
  'findutils diffutils bash busybox alpine-baselayout alpine-baselayout-data samurai ninja ninja-is-really-ninja ' +
  'ca-certificates-bundle scanelf ssl_client wolfi-base wolfi-baselayout glibc glibc-dev libstdc++-dev so:libc.musl ' +
  'sys-devel/gcc sys-devel/make sys-libs/glibc virtual/libc virtual/os-headers sys-kernel/linux-headers ' +
  'dev-build/ninja dev-build/make app-alternatives/ninja virtual/libcrypt app-shells/bash dev-build/samurai';

/** Recipes of repos/main: first its name, then what other systems call it. */
const RECIPES: Readonly<Record<string, string>> = {
  'app-arch/brotli': 'brotli-dev brotli brotli-libs',
  'app-arch/bzip2': 'bzip2-dev bzip2 libbz2',
  'app-arch/lz4': 'lz4-dev lz4 lz4-libs',
  'app-arch/xz': 'xz-dev xz xz-libs app-arch/xz-utils',
  'app-arch/zstd': 'zstd-dev zstd zstd-libs',
  'app-misc/ca-certificates': 'ca-certificates',
  'app-misc/jq': 'jq',
  'dev-db/redis': 'redis',
  'dev-db/sqlite': 'sqlite-dev sqlite sqlite-libs',
  'dev-lang/lua': 'lua5.4-dev lua5.4 lua-dev lua',
  'dev-libs/expat': 'expat-dev expat',
  'dev-libs/jansson': 'jansson-dev jansson',
  'dev-libs/libevent': 'libevent-dev libevent',
  'dev-libs/libffi': 'libffi-dev libffi',
  'dev-libs/libsodium': 'libsodium-dev libsodium',
  'dev-libs/libuv': 'libuv-dev libuv',
  'dev-libs/libxml2': 'libxml2-dev libxml2',
  'dev-libs/libyaml': 'yaml-dev yaml',
  'dev-libs/oniguruma': 'oniguruma-dev oniguruma',
  'dev-libs/openssl': 'openssl-dev openssl openssl-libs libssl3 libcrypto3 libressl-dev',
  'dev-libs/pcre2': 'pcre2-dev pcre2',
  'media-libs/libjpeg-turbo': 'libjpeg-turbo-dev libjpeg-turbo virtual/jpeg',
  'media-libs/libpng': 'libpng-dev libpng',
  'net-dns/c-ares': 'c-ares-dev c-ares',
  'net-libs/nghttp2': 'nghttp2-dev nghttp2 nghttp2-libs',
  'net-misc/curl': 'curl-dev curl libcurl',
  'net-misc/rsync': 'rsync',
  'sys-libs/libcap': 'libcap-dev libcap',
  'sys-libs/libseccomp': 'libseccomp-dev libseccomp',
  'sys-libs/ncurses': 'ncurses-dev ncurses ncurses-libs',
  'sys-libs/readline': 'readline-dev readline',
  'sys-libs/tzdata': 'tzdata sys-libs/timezone-data',
  'sys-libs/zlib': 'zlib-dev zlib',
  'sys-process/tini': 'tini',
  'www-servers/nginx': 'nginx',
};

/** Tools of Debian. */
const TOOLS: Readonly<Record<string, string>> = {
  autoconf: 'autoconf dev-build/autoconf sys-devel/autoconf',
  'autoconf-archive': 'autoconf-archive dev-build/autoconf-archive sys-devel/autoconf-archive',
  automake: 'automake dev-build/automake sys-devel/automake',
  libtool: 'libtool dev-build/libtool sys-devel/libtool',
  pkgconf: 'pkgconf pkgconfig pkgconf-dev virtual/pkgconfig dev-util/pkgconf dev-util/pkgconfig',
  cmake: 'cmake dev-build/cmake dev-util/cmake',
  meson: 'meson dev-build/meson dev-util/meson',
  bison: 'bison sys-devel/bison app-alternatives/yacc',
  flex: 'flex sys-devel/flex app-alternatives/lex',
  m4: 'm4 sys-devel/m4',
  gettext: 'gettext gettext-dev sys-devel/gettext virtual/libintl',
  texinfo: 'texinfo sys-apps/texinfo',
  help2man: 'help2man sys-apps/help2man',
  perl: 'perl perl-dev dev-lang/perl',
  python3: 'python3 python3-dev dev-lang/python',
  gperf: 'gperf dev-util/gperf',
  nasm: 'nasm dev-lang/nasm',
  asciidoctor: 'asciidoctor',
  scdoc: 'scdoc app-text/scdoc',
  xmlto: 'xmlto app-text/xmlto',
  git: 'git dev-vcs/git',
  clang: 'clang sys-devel/clang llvm-core/clang',
  golang: 'go dev-lang/go',
  cargo: 'cargo rust rust-bin virtual/rust dev-lang/rust',
};

/** Libraries of Debian: their headers, then the library itself. */
const LIBRARIES: Readonly<Record<string, string>> = {
  'libacl1-dev libacl1': 'acl-dev acl sys-apps/acl',
  'libattr1-dev libattr1': 'attr-dev attr sys-apps/attr',
  'libarchive-dev libarchive13': 'libarchive-dev app-arch/libarchive',
  'libdb5.3-dev libdb5.3': 'db-dev sys-libs/db',
  'libelf-dev libelf1': 'elfutils-dev libelf virtual/libelf dev-libs/elfutils',
  'libfreetype-dev libfreetype6': 'freetype-dev media-libs/freetype',
  'libgd-dev libgd3': 'gd-dev media-libs/gd',
  'libgeoip-dev libgeoip1': 'geoip-dev dev-libs/geoip',
  'libglib2.0-dev libglib2.0-0': 'glib-dev dev-libs/glib',
  'libgmp-dev libgmp10': 'gmp-dev dev-libs/gmp',
  'libgnutls28-dev libgnutls30': 'gnutls-dev net-libs/gnutls',
  'libicu-dev libicu72': 'icu-dev dev-libs/icu',
  'libidn2-dev libidn2-0': 'libidn2-dev net-dns/libidn2',
  'libldap-dev libldap-2.5-0': 'openldap-dev net-nds/openldap',
  'libpam0g-dev libpam0g': 'linux-pam-dev sys-libs/pam',
  'libpcre3-dev libpcre3': 'pcre-dev dev-libs/libpcre',
  'libpq-dev libpq5': 'libpq-dev postgresql-dev dev-db/postgresql',
  'libpsl-dev libpsl5': 'libpsl-dev net-libs/libpsl',
  'libselinux1-dev libselinux1': 'libselinux-dev sys-libs/libselinux',
  'libssh2-1-dev libssh2-1': 'libssh2-dev net-libs/libssh2',
  'libsystemd-dev libsystemd0': 'systemd-dev sys-apps/systemd',
  'libunistring-dev libunistring2': 'libunistring-dev dev-libs/libunistring',
  'libxslt1-dev libxslt1.1': 'libxslt-dev dev-libs/libxslt',
  'nettle-dev libnettle8': 'nettle-dev dev-libs/nettle',
  'uuid-dev libuuid1': 'util-linux-dev libuuid sys-apps/util-linux',
};

const NAMES: ReadonlyMap<string, KnownName> = new Map<string, KnownName>([
  ...PRESENT.split(' ').map((name) => [name, { atoms: [] }] as const),
  ...Object.entries(RECIPES).flatMap(([atom, names]) =>
    [atom, ...names.split(' ')].map((name) => [name, { atoms: [atom] }] as const),
  ),
  ...Object.entries(TOOLS).flatMap(([tool, names]) =>
    names.split(' ').map((name) => [name, { atoms: [`debian/${tool}`], kind: 'build' as const }] as const),
  ),
  ...Object.entries(LIBRARIES).flatMap(([packages, names]) =>
    names
      .split(' ')
      .map(
        (name) => [name, { atoms: packages.split(' ').map((one) => `debian/${one}`), kind: 'link' as const }] as const,
      ),
  ),
]);

/** What a name of Alpine, Wolfi (`openssl-dev`) or Gentoo (`dev-libs/openssl`) is here; undefined for unknown ones. */
export function knownName(name: string): KnownName | undefined {
  return NAMES.get(name);
}

/** How Debian would call a package that is not known here, after its rules for modules; undefined: no guess. */
export function debianNameOf(name: string): string | undefined {
  const [, python] = /^(?:py3-|dev-python\/)(.+)$/.exec(name) ?? [];
  const [, perl] = /^(?:perl-|dev-perl\/)(.+?)(?:-dev)?$/.exec(name) ?? [];
  const plain = name.slice(name.lastIndexOf('/') + 1);
  const guess = (python && `python3-${python}`) ?? (perl && `lib${perl}-perl`) ?? plain;
  const called = guess.toLowerCase().replaceAll('_', '-');
  return isDebianPackageName(called) ? called : undefined;
}

/** The recipe of repos/main that is called like this; a guess of its category for names that have none. */
export function recipeCalled(name: string): string | undefined {
  return Object.keys(RECIPES).find((atom) => atom.endsWith(`/${name}`));
}
