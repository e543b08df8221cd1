import type { LayerListing } from '../../model/layer.ts';
import type { OutputFinding } from '../../model/output-lint.ts';
import { pathGlob } from '../../model/path-glob.ts';

/** Files that programs of other packages read or run when they start, and which those are. */
const READ_BY_ALL: readonly (readonly [pattern: string, readers: string])[] = [
  ['etc/ld.so.preload', 'every program loads the libraries that it names'],
  ['etc/ld.so.conf', 'every program looks for libraries where it says'],
  ['etc/ld.so.conf.d/**', 'every program looks for libraries where it says'],
  ['etc/bash.bashrc', 'every interactive bash runs it'],
  ['etc/profile', 'every login shell runs it'],
  ['etc/profile.d/**', 'every login shell runs it'],
  ['etc/environment', 'every session has its variables'],
  ['etc/environment.d/**', 'every session has its variables'],
  ['etc/gitconfig', 'every git follows it'],
  ['etc/nsswitch.conf', 'every program looks users and hosts up as it says'],
  ['etc/pam.d/common-*', 'every login follows it'],
  ['etc/perl/sitecustomize.pl', 'every perl runs it'],
  ['usr/lib/*/perl*/**/sitecustomize.pl', 'every perl runs it'],
  ['usr/share/perl*/**/sitecustomize.pl', 'every perl runs it'],
  ['{etc,usr/lib}/python3*/**/{sitecustomize,usercustomize}.py', 'every python3 runs it'],
  ['{etc,usr/lib}/python3*/{sitecustomize,usercustomize}.py', 'every python3 runs it'],
  ['usr/lib/python3*/**/*.pth', 'every python3 runs its lines'],
  ['usr/lib/python3*/*.pth', 'every python3 runs its lines'],
  ['usr/lib/*/gconv/gconv-modules', 'every program that converts text loads what it names'],
  ['usr/lib/*/gconv/gconv-modules.d/**', 'every program that converts text loads what it names'],
];

/** Programs and libraries that builds and scripts take for granted, by the Debian package that has them. */
const TOOLS: Readonly<Record<string, readonly string[]>> = {
  bash: ['usr/bin/bash'],
  binutils: ['ar', 'as', 'ld', 'ld.bfd', 'nm', 'objcopy', 'objdump', 'ranlib', 'readelf', 'strip'].map(inBin),
  coreutils: [
    ...['[', 'cat', 'chmod', 'chown', 'cp', 'cut', 'date', 'dd', 'echo', 'env', 'head', 'install', 'ln', 'ls', 'mkdir'],
    ...['mktemp', 'mv', 'od', 'printf', 'pwd', 'readlink', 'rm', 'rmdir', 'sha256sum', 'sort', 'stat', 'tail', 'tee'],
    ...['test', 'touch', 'tr', 'true', 'uname', 'wc'],
  ].map(inBin),
  dash: ['usr/bin/dash', 'usr/bin/sh'],
  diffutils: ['usr/bin/cmp', 'usr/bin/diff'],
  findutils: ['usr/bin/find', 'usr/bin/xargs'],
  gcc: ['c++', 'c89', 'c99', 'cc', 'cpp', 'g++', 'gcc'].map(inBin),
  grep: ['usr/bin/egrep', 'usr/bin/fgrep', 'usr/bin/grep'],
  gzip: ['usr/bin/gunzip', 'usr/bin/gzip', 'usr/bin/zcat'],
  libc6: [
    ...['lib64/ld-linux-x86-64.so.2', 'usr/lib64/ld-linux-x86-64.so.2', 'usr/lib/ld-linux-aarch64.so.1'],
    ...['x86_64-linux-gnu', 'aarch64-linux-gnu'].flatMap((triplet) =>
      ['ld-linux-x86-64.so.2', 'ld-linux-aarch64.so.1', 'libc.so.6'].map((name) => `usr/lib/${triplet}/${name}`),
    ),
  ],
  make: ['usr/bin/make'],
  mawk: ['usr/bin/awk', 'usr/bin/mawk'],
  patch: ['usr/bin/patch'],
  perl: ['usr/bin/perl'],
  sed: ['usr/bin/sed'],
  tar: ['usr/bin/tar'],
};

function inBin(name: string): string {
  return `usr/bin/${name}`;
}

/** Prefixed names of the compilers and binutils are theirs too. */
const TOOL_PREFIX = /^(usr\/bin\/)(?:x86_64|aarch64)-linux-gnu-/;
const TOOL_VERSION = /-[0-9]+$/;

/** Debian packages with the same tools under other names, or with all of them in one program. */
const STAND_INS: Readonly<Record<string, readonly string[]>> = {
  gcc: ['clang', 'tcc'],
  mawk: ['gawk', 'original-awk'],
};
const ALL_IN_ONE = ['busybox', 'toybox'];

const OWNERS = new Map(Object.entries(TOOLS).flatMap(([owner, paths]) => paths.map((path) => [path, owner] as const)));
const READERS = READ_BY_ALL.map(([pattern, readers]) => ({ matches: pathGlob(pattern)!, readers }));

/**
 * Judges files that change what every other program of a root or an image does, and tools that this package would take the
 * place of without saying so: `replaced` are the names that the recipe replaces, `debian/dash`.
 */
export function lintSharedFiles(
  listing: LayerListing,
  { replaced, ownsTopLinks }: { readonly replaced: readonly string[]; readonly ownsTopLinks: boolean },
): readonly OutputFinding[] {
  return listing.flatMap(({ type, path }): OutputFinding[] => {
    if (type === 'directory') return [];
    const reader = READERS.find(({ matches }) => matches(path));
    // The base package is made of such files.
    if (reader !== undefined) return ownsTopLinks ? [] : [{ code: 'shared-file', path, found: reader.readers }];
    const owner = OWNERS.get(path) ?? OWNERS.get(path.replace(TOOL_PREFIX, '$1').replace(TOOL_VERSION, ''));
    if (owner === undefined || isReplaced(owner, replaced)) return [];
    return [{ code: 'replaced-tool', path, found: `the place of a file of debian/${owner}` }];
  });
}

/** `debian/gcc-12` says it of gcc, too. */
function isReplaced(owner: string, replaced: readonly string[]): boolean {
  const names = [owner, ...(STAND_INS[owner] ?? []), ...ALL_IN_ONE];
  return replaced.some((atom) => names.some((name) => atom === `debian/${name}` || atom.startsWith(`debian/${name}-`)));
}
