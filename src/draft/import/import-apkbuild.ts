import { BuilditError } from '../../model/errors.ts';
import { isCleanRelativePath, isVersion, printable } from '../../model/names.ts';
import { templatedUrl } from '../guess-source.ts';
import type { DraftSource } from '../recipe-draft.ts';
import { readShell, type ShellFile } from '../shell/read-shell.ts';
import { valueText } from '../shell/shell-word.ts';
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
import { spdxLicense } from './spdx-license.ts';
import { type ClassPhases, type Dialect, translateBuild } from './translate-build.ts';

/** Translates an APKBUILD of Alpine (abuild's format, see APKBUILD(5)). Nothing of it is run. */
export function importApkbuild(text: string, classPhases: ClassPhases): ImportedRecipe {
  const file = readShell(text);
  const notes = new DraftNotes();
  const value = (name: string) => valueText(file.values.get(name))?.trim() ?? '';
  const words = (name: string) =>
    value(name)
      .split(/\s+/)
      .filter((word) => word !== '');
  const [name, version] = [value('pkgname'), value('pkgver')];
  if (name === '' || !isVersion(version)) {
    throw new BuilditError('input-invalid', 'Cannot import the APKBUILD: expected pkgname and pkgver, found none', {
      hint: 'both have to be said without running anything',
    });
  }
  for (const { line, text: unread } of file.unread) notes.todo('phases', `line ${line} was not understood: ${unread}`);
  const sources = readSources(file, version, notes);
  const license = spdxLicense(value('license'));
  if (license === undefined) notes.todo('license', `not an SPDX expression: ${value('license') || 'it says none'}`);
  const dependencies = readDependencies(words, notes);
  for (const sub of words('subpackages')) {
    const [short = ''] = sub.split(':');
    const kind = short.replace(name, '');
    // Headers and manuals are parts of the package here.
    if (!['-dev', '-doc', '-dbg', '-libs', '-static', '-openrc'].includes(kind)) {
      notes.todo('phases', `the subpackage ${sub} is not translated`);
    }
  }
  const options = words('options');
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
  for (const entry of (valueText(values.get('source')) ?? '').split(/\s+/).filter((word) => word !== '')) {
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
  for (const name of [...words('makedepends'), ...words('makedepends_build'), ...words('makedepends_host')]) {
    const plain = withoutVersion(name);
    list.add(plain, plain.endsWith('-dev') ? 'link' : 'build');
  }
  for (const name of words('depends')) {
    if (name.startsWith('!')) notes.todo('dependencies', `conflicts with ${name.slice(1)}, which nothing says here`);
    else list.add(withoutVersion(name), 'run');
  }
  for (const name of words('checkdepends')) list.add(withoutVersion(name), 'build');
  return list.kinds;
}

function withoutVersion(name: string): string {
  return name.replace(/[<>=~].*$/, '');
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
