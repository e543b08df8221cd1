import { BuilditError } from '../../model/errors.ts';
import { isFlagName, isPackageNamePart, isVersion, printable } from '../../model/names.ts';
import { templatedUrl } from '../guess-source.ts';
import type { DependencyKind, DraftFlag, DraftSource } from '../recipe-draft.ts';
import { readShell, type ShellFile, wordsOf } from '../shell/read-shell.ts';
import { expandWord, valueText } from '../shell/shell-word.ts';
import { DraftDependencyList, DraftNotes } from './draft-notes.ts';
import { knownName } from './foreign-names.ts';
import {
  besideFirst,
  descriptionHere,
  type ImportedRecipe,
  lastElement,
  type NeededFile,
  nameHere,
  type UnpinnedSource,
} from './imported-recipe.ts';
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
  for (const { line, text: unread } of file.unread) notes.todo('phases', `line ${line} was not understood: ${unread}`);
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
  for (const phase of ['pkg_setup', 'pkg_preinst', 'pkg_postinst', 'pkg_prerm']) {
    if (file.functions.has(phase)) notes.todo('phases', `${phase} runs on the machine, which nothing does here`);
  }
  const flags = new Map(
    readFlags(value('IUSE')).map((flag) => [flag.name, { ...flag, ...built.flags.get(flag.name) }]),
  );
  for (const [flag, switches] of built.flags) {
    if (!flags.has(flag) && isFlagName(flag)) flags.set(flag, { name: flag, default: false, ...switches });
  }
  const dependencies = readDependencies({ value, flags: new Set(flags.keys()), notes });
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
      flags: draftFlags([...flags.values()], dependencies.conditional),
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

interface ReadFlag extends Pick<DraftFlag, 'on' | 'off'> {
  readonly name: string;
  readonly default: boolean;
}

/** IUSE: a plus before a flag turns it on by default. */
function readFlags(text: string): ReadFlag[] {
  return text.split(/\s+/).flatMap((word) => {
    const name = word.replace(/^[+-]/, '');
    return isFlagName(name) && name !== 'test' ? [{ name, default: word.startsWith('+') }] : [];
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
  const words = text.split(/\s+/).filter((word) => word !== '');
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
    if (!/^[a-z]+:\/\//.test(word) || /\.(?:asc|sig|sign)$/.test(word)) continue;
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

interface DependencyReading {
  readonly value: (key: string) => string;
  readonly flags: ReadonlySet<string>;
  readonly notes: DraftNotes;
}

/** DEPEND is linked with, BDEPEND are tools, RDEPEND what runs: a library that is in DEPEND too is found by its soname. */
function readDependencies({ value, flags, notes }: DependencyReading) {
  const always = new DraftDependencyList(notes);
  const conditional = new Map<string, DraftDependencyList>();
  const seen = new Set<string>();
  for (const [key, kind] of [
    ['BDEPEND', 'build'],
    ['DEPEND', 'link'],
    ['RDEPEND', 'run'],
  ] as const) {
    for (const { atom, condition } of atomsIn(value(key), notes)) {
      if (kind === 'run' && seen.has(`${condition} ${atom}`)) continue;
      seen.add(`${condition} ${atom}`);
      let list = always;
      if (condition !== undefined) {
        if (!flags.has(condition)) continue;
        list = conditional.get(condition) ?? new DraftDependencyList(notes);
        conditional.set(condition, list);
      }
      list.add(atom, kindOf(atom, kind));
    }
  }
  return { always: always.kinds, conditional };
}

/** What is needed to run and has headers is linked with; a name nobody knows stays where it was said. */
function kindOf(atom: string, kind: DependencyKind): DependencyKind {
  return kind === 'run' && knownName(atom)?.kind === 'link' ? 'link' : kind;
}

/** The packages of a dependency string, with the innermost flag they depend on. */
function atomsIn(text: string, notes: DraftNotes): { readonly atom: string; readonly condition: string | undefined }[] {
  const found: { atom: string; condition: string | undefined }[] = [];
  const groups: { readonly condition: string | undefined; readonly isChoice: boolean; taken: boolean }[] = [];
  let next: { condition: string | undefined; isChoice: boolean } | undefined;
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    if (word === '||') next = { condition: undefined, isChoice: true };
    else if (/^!?[A-Za-z0-9][A-Za-z0-9+_@-]*\?$/.test(word)) next = { condition: word.slice(0, -1), isChoice: false };
    else if (word === '(') {
      groups.push({ condition: next?.condition, isChoice: next?.isChoice === true, taken: false });
      next = undefined;
    } else if (word === ')') groups.pop();
    else {
      const [, category, name] =
        /^[<>=~!]*([A-Za-z0-9+_.-]+)\/([A-Za-z0-9+_.-]+?)(?:-[0-9][0-9A-Za-z._]*(?:-r[0-9]+)?\*?)?(?:[:[].*)?$/.exec(
          word,
        ) ?? [];
      if (category === undefined || word.startsWith('!')) continue;
      const choice = groups.findLast(({ isChoice }) => isChoice);
      if (choice?.taken === true) continue;
      if (choice !== undefined) {
        choice.taken = true;
        notes.todo('dependencies', `one of several: ${category}/${name} was taken`);
      }
      const condition = groups.findLast((group) => group.condition !== undefined)?.condition;
      if (condition?.startsWith('!') === true) {
        notes.todo('dependencies', `${category}/${name} only without the flag ${condition.slice(1)}`);
      } else if (condition !== 'test' && condition !== 'verify-sig')
        found.push({ atom: `${category}/${name}`, condition });
    }
  }
  return found;
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
        case 'dodoc':
        case 'doman':
        case 'DOCS':
          return '';
        case 'dobin':
          return `install -D -m 0755 -t "$DESTDIR/usr/bin" ${rest.join(' ')}`;
        case 'dosbin':
          return `install -D -m 0755 -t "$DESTDIR/usr/sbin" ${rest.join(' ')}`;
        case 'newbin':
          return `install -D -m 0755 ${rest[0]} "$DESTDIR/usr/bin/${rest[1]}"`;
        case 'dosym':
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
