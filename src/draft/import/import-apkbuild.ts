import { BuilditError } from '../../model/errors.ts';
import { isCleanRelativePath, isVersion, printable } from '../../model/names.ts';
import { templatedUrl } from '../guess-source.ts';
import type { DraftSource } from '../recipe-draft.ts';
import { readShell, type ShellFile } from '../shell/read-shell.ts';
import { isUnexpanded, valueText, wordsOfValue } from '../shell/shell-word.ts';
import { DraftDependencyList, DraftNotes } from './draft-notes.ts';
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
import { spdxLicense } from './spdx-license.ts';
import { type ClassPhases, type Dialect, translateBuild } from './translate-build.ts';

/** Translates an APKBUILD of Alpine (abuild's format, see APKBUILD(5)). Nothing of it is run. */
export function importApkbuild(text: string, classPhases: ClassPhases): ImportedRecipe {
  const file = readShell(text);
  const notes = new DraftNotes();
  const value = (name: string) => valueText(file.values.get(name))?.trim() ?? '';
  const words = (name: string) => wordsOfValue(value(name));
  const [name, version] = [value('pkgname'), value('pkgver')];
  if (name === '' || !isVersion(version)) {
    throw new BuilditError('input-invalid', 'Cannot import the APKBUILD: expected pkgname and pkgver, found none', {
      hint: 'both have to be said without running anything',
    });
  }
  noteUnread(file, READ, notes);
  noteUnexpanded(value, notes);
  const sources = readSources(file, version, notes);
  const license = spdxLicense(value('license'));
  if (license === undefined) notes.todo('license', `not an SPDX expression: ${value('license') || 'it says none'}`);
  const dependencies = readDependencies(words, notes);
  for (const sub of words('subpackages')) {
    notes.todo('phases', `the subpackage ${sub} is not translated: what it would hold stays in this package`);
  }
  const options = words('options');
  for (const option of options) {
    if (option !== '!check') notes.todo('phases', `the option ${option} is not translated`);
  }
  const architectures = words('arch').filter((word) => !['all', 'noarch'].includes(word));
  if (architectures.length > 0) notes.todo('name', `arch is not translated: ${architectures.join(' ')}`);
  const directory = /^\$\{?srcdir\}?\/+[^/]+\/+(?!\/)(.+)$/.exec(value('builddir'))?.[1];
  if (directory !== undefined)
    notes.todo('phases', `it is built in ${directory}/ of the source tree, which no phase enters`);
  const scripts = {
    prepare: file.functions.get('prepare'),
    build: file.functions.get('build'),
    check: options.includes('!check') ? undefined : file.functions.get('check'),
    install: file.functions.get('package'),
  };
  const built = translateBuild(scripts, { dialect: dialectOf(file, name), notes, classPhases });
  const phases = options.includes('!check') ? { ...built.phases, check: 'none' } : built.phases;
  if (phases.install?.includes('$FILESDIR') === true)
    notes.todo('phases', 'files of $FILESDIR lie in files/ beside pkg.yaml');
  return {
    draft: {
      name: nameHere(name),
      description: descriptionHere(value('pkgdesc')),
      homepage: value('url') === '' ? undefined : value('url'),
      license,
      version,
      sources: sources.sources,
      class: built.class,
      configure: built.configure,
      dependencies,
      phases,
      patches: sources.patches,
      notes: notes.notes,
    },
    files: sources.files,
    unpinned: sources.unpinned,
  };
}

/** Sums other than these, and the revision of Alpine's own, are nothing that a recipe here could say. */
const READ = {
  variables: new Set([
    ...['pkgname', 'pkgver', 'pkgrel', 'pkgdesc', 'url', 'license', 'arch', 'builddir', 'source', 'options'],
    ...['makedepends', 'makedepends_build', 'makedepends_host', 'depends', 'checkdepends', 'subpackages'],
    ...['md5sums', 'sha1sums', 'sha256sums', 'sha512sums', 'maintainer'],
  ]),
  functions: new Set(['prepare', 'build', 'check', 'package']),
  commands: new Set<string>(),
  isForeign: (name: string) =>
    /^(?:install|triggers|pkgusers|pkggroups|provides|provider_priority|replaces|replaces_priority|install_if|langdir|giturl|depends_\w+|ldpath|sonameprefix|somask|pcprefix)$/.test(
      name,
    ),
};

/** A value that needs a command, or a variable that nobody sets, is no value yet. */
function noteUnexpanded(value: (name: string) => string, notes: DraftNotes): void {
  for (const [name, at] of [
    ['pkgdesc', 'description'],
    ['url', 'homepage'],
    ['subpackages', 'phases'],
  ] as const) {
    if (isUnexpanded(value(name))) notes.todo(at, `${name} was not understood: ${value(name)}`);
  }
}

interface ReadSources {
  readonly sources: readonly DraftSource[];
  readonly patches: Readonly<Record<string, string>>;
  readonly files: readonly NeededFile[];
  readonly unpinned: readonly UnpinnedSource[];
}

/** `source` names URLs, also as `NAME::URL`, and files beside the APKBUILD, of which some are patches. */
function readSources({ values }: ShellFile, version: string, notes: DraftNotes): ReadSources {
  const sums = (kind: string) =>
    new Map(
      (valueText(values.get(kind)) ?? '').split('\n').flatMap((line) => {
        const [digest, name] = line.trim().split(/\s+/);
        return digest === undefined || name === undefined ? [] : [[name, digest] as const];
      }),
    );
  const [sha256, sha512] = [sums('sha256sums'), sums('sha512sums')];
  const sources: DraftSource[] = [];
  const patches: Record<string, string> = {};
  const files: NeededFile[] = [];
  const unpinned: UnpinnedSource[] = [];
  for (const entry of wordsOfValue(valueText(values.get('source')) ?? '')) {
    if (isUnexpanded(entry)) {
      notes.todo('source', `not understood: ${entry}`);
      continue;
    }
    const [, given, url = entry] = /^([^:/]+)::(.*)$/.exec(entry) ?? [];
    const filename = given ?? lastElement(url);
    const secure = url.replace(/^http:/, 'https:');
    if (/^https:.*\.(?:patch|diff)$/.test(secure)) patches[secure] = 'TODO: what it is for';
    else if (/^[a-z+]+:\/\//.test(url)) {
      const isUsable = secure.startsWith('https://') && printable(secure) === secure;
      if (!isUsable) notes.todo('source', `only https is fetched: ${url}`);
      if (secure !== url) notes.todo('source', `was http: see whether ${secure} is there`);
      const digest = sha256.get(filename);
      if (digest === undefined || !/^[0-9a-f]{64}$/.test(digest)) {
        unpinned.push({ index: sources.length, url: secure, sha512: sha512.get(filename) });
      }
      sources.push({
        url: templatedUrl(secure, version),
        sha256: digest,
        filename: given === undefined ? undefined : templated(given, version),
        directory: besideFirst(sources.length, filename, notes),
      });
    } else if (!isCleanRelativePath(entry)) notes.todo('source', `not the name of a file: ${entry}`);
    else if (/\.(?:patch|diff)$/.test(entry)) {
      patches[`patches/${lastElement(entry)}`] = 'TODO: what it is for';
      files.push({ from: entry, to: `patches/${lastElement(entry)}` });
    } else {
      files.push({ from: entry, to: `files/${lastElement(entry)}` });
    }
  }
  if (sources.length === 0) notes.todo('source', 'it names no archive');
  return { sources, patches, files, unpinned };
}

function templated(text: string, version: string): string {
  return text.replaceAll(version, '{{version}}');
}

function readDependencies(words: (name: string) => readonly string[], notes: DraftNotes) {
  const list = new DraftDependencyList(notes);
  for (const word of [...words('makedepends'), ...words('makedepends_build'), ...words('makedepends_host')]) {
    list.addAlpine(word, (name) => (name.endsWith('-dev') ? 'link' : 'build'));
  }
  for (const word of words('depends')) list.addAlpine(word, () => 'run');
  for (const word of words('checkdepends')) list.addAlpine(word, () => 'build');
  return list.kinds;
}

function dialectOf({ values }: ShellFile, name: string): Dialect {
  return {
    values,
    variables: {
      pkgdir: '$DESTDIR',
      pkgver: '{{version}}',
      pkgname: name,
      builddir: '.',
      srcdir: '$FILESDIR',
      startdir: '$FILESDIR',
      CHOST: '{{triplet}}',
      CBUILD: '{{triplet}}',
      CTARGET: '{{triplet}}',
      CARCH: '$(uname -m)',
    },
    command: () => undefined,
  };
}
