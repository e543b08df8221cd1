import { BuilditError } from '../../model/errors.ts';
import { isFlagName, isPackageNamePart, isVersion, printable } from '../../model/names.ts';
import { templatedUrl } from '../guess-source.ts';
import type { DraftFlag, DraftSource } from '../recipe-draft.ts';
import { readShell, type ShellFile, wordsOf } from '../shell/read-shell.ts';
import { expandWord, isUnexpanded, valueText, wordsOfValue } from '../shell/shell-word.ts';
import { type DraftDependencyList, DraftNotes } from './draft-notes.ts';
import { readEbuildDependencies } from './ebuild-dependencies.ts';
import {
  besideFirst,
  descriptionHere,
  type ImportedRecipe,
  lastElement,
  type NeededFile,
  nameHere,
  type UnpinnedSource,
} from './imported-recipe.ts';
import { noteUnread } from './note-unread.ts';
import { readRequiredUse } from './required-use.ts';
import { spdxLicense } from './spdx-license.ts';
import { type ClassPhases, type Dialect, translateBuild } from './translate-build.ts';

/**
 * Translates an ebuild (Gentoo's Package Manager Specification). Its name says package and version, the directory two
 * above its category. Nothing of it is run.
 */
export function importEbuild(text: string, path: string, classPhases: ClassPhases): ImportedRecipe {
  const named = namedBy(path);
  const { category, name, version } = named;
  const P = `${name}-${version}`;
  const file = readShell(text, {
    ...{ PN: name, PV: version, P, PVR: version, PF: P, PR: 'r0', CATEGORY: category ?? 'local', EPREFIX: '' },
    ...{ WORKDIR: '/w', S: `/w/${P}` },
  });
  const notes = new DraftNotes();
  const value = (key: string) => valueText(file.values.get(key))?.trim() ?? '';
  noteUnread(file, READ, notes);
  noteOthers(value, P, notes);
  const license = spdxLicense(value('LICENSE'));
  if (license === undefined) notes.todo('license', `not understood: ${value('LICENSE') || 'it says none'}`);
  else if (value('LICENSE').split(/\s+/).length > 1) notes.todo('license', `was ${value('LICENSE')}`);
  const eclasses = file.commands.filter(([program]) => program === 'inherit').flatMap(([, ...names]) => names);
  const unknown = eclasses.filter((eclass) => !KNOWN_ECLASSES.has(eclass));
  if (unknown.length > 0) notes.todo('phases', `what these eclasses do is not known here: ${unknown.join(', ')}`);
  const sources = readSources(value('SRC_URI'), version, notes);
  const scripts = {
    prepare: file.functions.get('src_prepare') ?? (eclasses.includes('autotools') ? 'eautoreconf' : undefined),
    build: joined(file.functions.get('src_configure'), file.functions.get('src_compile')),
    check: file.functions.get('src_test'),
    install: file.functions.get('src_install'),
  };
  const built = translateBuild(scripts, { dialect: dialectOf(file), notes, classPhases });
  const flags = new Map(
    readFlags(value('IUSE'), notes).map((flag) => [flag.name, { ...flag, ...built.flags.get(flag.name) }]),
  );
  for (const [flag, switches] of built.flags) {
    if (!flags.has(flag) && isFlagName(flag)) flags.set(flag, { name: flag, default: false, ...switches });
  }
  const names = new Set(flags.keys());
  const dependencies = readEbuildDependencies({ value, flags: names, notes });
  const required = readRequiredUse(value('REQUIRED_USE'), names, notes);
  const className = built.class === 'none' ? (classOfEclasses(eclasses) ?? 'autotools') : built.class;
  const tools = eclasses.includes('autotools') ? ['debian/autoconf', 'debian/automake', 'debian/libtool'] : [];
  const patches = readPatches(file, notes);
  return {
    draft: {
      name: nameHere(name, category),
      description: descriptionHere(value('DESCRIPTION')),
      homepage: value('HOMEPAGE').split(/\s+/)[0] || undefined,
      license,
      version,
      sources: sources.sources,
      class: className,
      flags: draftFlags(
        [...flags.values()].map((flag) => ({ ...flag, ...required.get(flag.name) })),
        dependencies.conditional,
      ),
      configure: built.configure,
      dependencies: { ...dependencies.always, build: [...tools, ...dependencies.always.build] },
      phases: built.phases,
      patches: Object.fromEntries(patches.map(({ to }) => [to, 'TODO: what it is for'])),
      notes: notes.notes,
    },
    files: patches,
    unpinned: sources.unpinned,
  };
}

/** What keywords, signatures and Gentoo's own checks say is nothing that a recipe here could. */
const READ = {
  variables: new Set([
    ...[
      'EAPI',
      'DESCRIPTION',
      'HOMEPAGE',
      'SRC_URI',
      'LICENSE',
      'SLOT',
      'KEYWORDS',
      'IUSE',
      'REQUIRED_USE',
      'RESTRICT',
    ],
    ...['DEPEND', 'RDEPEND', 'BDEPEND', 'PDEPEND', 'PATCHES', 'S', 'VERIFY_SIG_OPENPGP_KEY_PATH'],
    ...['QA_PREBUILT', 'QA_PRESTRIPPED', 'QA_FLAGS_IGNORED', 'QA_CONFIG_IMPL_DECL_SKIP'],
  ]),
  functions: new Set(['src_prepare', 'src_configure', 'src_compile', 'src_test', 'src_install']),
  commands: new Set(['inherit']),
  isForeign: (name: string) =>
    /^(?:IDEPEND|PROPERTIES|[A-Z]+_(?:COMPAT|REQ_USE|NEEDED|OPTIONAL|ECLASS)|CMAKE_\w+|EMESON_\w+)$/.test(name),
};

/** What is seldom other than usual, and matters then. */
function noteOthers(value: (key: string) => string, P: string, notes: DraftNotes): void {
  const slot = value('SLOT');
  if (slot !== '' && !/^0(?:\/.*)?$/.test(slot)) notes.todo('name', `SLOT is not translated: ${slot}`);
  const restricted = value('RESTRICT').replace(/\s+/g, ' ');
  const isUsual = /^(?:(?:mirror|primaryuri|!test\? \( test \)) ?)*$/.test(restricted);
  if (!isUsual) notes.todo('phases', `RESTRICT is not translated: ${restricted}`);
  for (const [key, at] of [
    ['DESCRIPTION', 'description'],
    ['HOMEPAGE', 'homepage'],
  ] as const) {
    if (isUnexpanded(value(key))) notes.todo(at, `${key} was not understood: ${value(key)}`);
  }
  const [, ...homepages] = value('HOMEPAGE').split(/\s+/);
  if (homepages.length > 0) notes.todo('homepage', `only one is kept; it also says ${homepages.join(' ')}`);
  const [, directory] = /^\/w\/[^/]+\/+(?!\/)(.+)$/.exec(value('S')) ?? [];
  if (directory !== undefined)
    notes.todo('phases', `it is built in ${directory}/ of the source tree, which no phase enters`);
  else if (!/^\/w(?:\/|$)/.test(value('S')))
    notes.todo('phases', `S is not translated: ${value('S')}, in place of ${P}`);
}

/** `…/app-misc/jq/jq-1.6-r3.ebuild`; the revision is Gentoo's own. */
function namedBy(path: string): {
  readonly category: string | undefined;
  readonly name: string;
  readonly version: string;
} {
  const elements = path.split('/');
  const [, name, version] =
    /^(.+?)-([0-9][0-9A-Za-z.]*(?:_[a-z]+[0-9]*)*)(?:-r[0-9]+)?\.ebuild$/.exec(elements.at(-1) ?? '') ?? [];
  const category = elements.at(-3);
  if (name === undefined || version === undefined || !isVersion(version) || !isPackageNamePart(name.toLowerCase())) {
    throw new BuilditError(
      'usage',
      `Cannot import "${printable(elements.at(-1) ?? path)}": expected a file called NAME-VERSION.ebuild, found another name`,
    );
  }
  const isCategory = category !== undefined && elements.at(-2) === name && isPackageNamePart(category);
  return { category: isCategory ? category : undefined, name, version };
}

const KNOWN_ECLASSES = new Set(
  'autotools cmake meson flag-o-matic toolchain-funcs multilib libtool eutils epatch ltprune out-of-source verify-sig'.split(
    ' ',
  ),
);

function classOfEclasses(eclasses: readonly string[]): string | undefined {
  return ['cmake', 'meson'].find((name) => eclasses.includes(name));
}

function joined(first: string | undefined, second: string | undefined): string | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return `${first}\n${second}`;
}

interface ReadFlag extends Pick<DraftFlag, 'on' | 'off' | 'requires' | 'conflicts'> {
  readonly name: string;
  readonly default: boolean;
}

/** IUSE: a plus before a flag turns it on by default. */
function readFlags(text: string, notes: DraftNotes): ReadFlag[] {
  return wordsOfValue(text).flatMap((word) => {
    const name = word.replace(/^[+-]/, '');
    // Tests are a phase here, and signatures nothing.
    if (name === 'test' || name === 'verify-sig') return [];
    if (isFlagName(name)) return [{ name, default: word.startsWith('+') }];
    notes.todo('flags', `${word} cannot be the name of a flag here`);
    return [];
  });
}

function draftFlags(
  flags: readonly ReadFlag[],
  conditional: ReadonlyMap<string, DraftDependencyList>,
): Record<string, DraftFlag> {
  return Object.fromEntries(
    flags.map(({ name, ...flag }) => [
      name,
      { ...flag, description: `TODO: what ${name} is for`, dependencies: conditional.get(name)?.kinds },
    ]),
  );
}

/** SRC_URI: `URL -> NAME` gives another name, `flag? ( … )` is left to a person. */
function readSources(text: string, version: string, notes: DraftNotes) {
  const sources: DraftSource[] = [];
  const unpinned: UnpinnedSource[] = [];
  const words = wordsOfValue(text);
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    if (word.endsWith('?')) {
      const end = words.indexOf(')', at);
      const last = end < 0 ? words.length : end;
      const signatures = words
        .slice(at, last)
        .every((one) => !/^[a-z]+:\/\//.test(one) || /\.(?:asc|sig|sign)$/.test(one));
      if (!signatures) notes.todo('source', `only with a flag: ${words.slice(at, last + 1).join(' ')}`);
      at = last;
      continue;
    }
    if (/^[()]$/.test(word) || /\.(?:asc|sig|sign)$/.test(word)) continue;
    if (!/^[a-z]+:\/\//.test(word) || isUnexpanded(word)) {
      notes.todo('source', `not understood: ${word}`);
      continue;
    }
    const renamed = words[at + 1] === '->' ? words[at + 2] : undefined;
    if (renamed !== undefined) at += 2;
    const url = word.replace(/^mirror:\/\/gnu\//, 'https://ftp.gnu.org/gnu/').replace(/^http:/, 'https:');
    if (!url.startsWith('https://')) notes.todo('source', `only https is fetched: ${word}`);
    unpinned.push({ index: sources.length, url, sha512: undefined });
    const filename = renamed?.replaceAll(version, '{{version}}');
    const directory = besideFirst(sources.length, renamed ?? lastElement(url), notes);
    sources.push({ url: templatedUrl(url, version), filename, directory });
  }
  if (sources.length === 0) notes.todo('source', 'it names no archive');
  return { sources, unpinned };
}

/** `PATCHES=( "${FILESDIR}/…" )`. */
function readPatches({ values }: ShellFile, notes: DraftNotes): NeededFile[] {
  const patches = values.get('PATCHES');
  const list = typeof patches === 'string' ? patches.split(/\s+/) : (patches ?? []);
  return list.flatMap((entry) => {
    const [, path] = /^\$\{?FILESDIR\}?\/(.+)$/.exec(entry) ?? [];
    const isFile = path !== undefined && /^[A-Za-z0-9._+-]+\.(?:patch|diff)$/.test(path);
    if (!isFile && entry !== '') notes.todo('patches', `not a file of files/: ${entry}`);
    return isFile ? [{ from: `files/${path}`, to: `patches/${path}` }] : [];
  });
}

function dialectOf({ values }: ShellFile): Dialect {
  return {
    values: new Map([...values].filter(([name]) => !['S', 'WORKDIR'].includes(name))),
    variables: {
      ...{ D: '$DESTDIR', ED: '$DESTDIR', EPREFIX: '', EROOT: '', ROOT: '', S: '.', WORKDIR: '..', T: '$TMPDIR' },
      ...{
        PV: '{{version}}',
        CHOST: '{{triplet}}',
        CBUILD: '{{triplet}}',
        FILESDIR: '$FILESDIR',
        MAKEOPTS: '-j"$JOBS"',
      },
    },
    switches,
    command: ([program = '', ...rest], source) => {
      switch (program) {
        case 'eautoreconf':
          return 'autoreconf -fi';
        case 'emake':
          return source.replace(
            /^emake/,
            rest.some((word) => /^install/.test(word)) ? 'make DESTDIR="$DESTDIR"' : 'make -j"$JOBS"',
          );
        case 'dobin':
          return `install -D -m 0755 -t "$DESTDIR/usr/bin" ${rest.join(' ')}`;
        case 'dosbin':
          return `install -D -m 0755 -t "$DESTDIR/usr/sbin" ${rest.join(' ')}`;
        case 'newbin':
          if (rest.length !== 2 || rest[0] === '-') return undefined;
          return `install -D -m 0755 ${rest[0]} "$DESTDIR/usr/bin/${rest[1]}"`;
        case 'dosym':
          if (rest.length !== 2) return undefined;
          return `ln -s ${rest[0]} "$DESTDIR${(rest[1] ?? '').replaceAll('"', '')}"`;
        default:
          return undefined;
      }
    },
  };
}

/** `use_enable ssl`, `use_with ssl openssl`, `meson_use`, `meson_feature`, `usex flag yes no`. */
function switches(written: string) {
  const words = wordsOf(written).map((word) => expandWord(word, new Map()).text);
  const [program, flag = '', second, third, fourth = '', fifth = ''] = words;
  if (!isFlagName(flag)) return undefined;
  const option = second ?? flag;
  const value = third === undefined ? '' : `=${third}`;
  switch (program) {
    case 'use_enable':
      return { flag, on: `--enable-${option}${value}`, off: `--disable-${option}` };
    case 'use_with':
      return { flag, on: `--with-${option}${value}`, off: `--without-${option}` };
    case 'meson_use':
      return { flag, on: `-D${option}=true`, off: `-D${option}=false` };
    case 'meson_feature':
      return { flag, on: `-D${option}=enabled`, off: `-D${option}=disabled` };
    case 'usex':
      return { flag, on: `${second ?? 'yes'}${fourth}`, off: `${third ?? 'no'}${fifth}` };
    default:
      return undefined;
  }
}
