import { createDocumentText } from '../../document/document-text.ts';
import { mapAt, mapsAt, scalarsAt, textAt } from '../../document/fields.ts';
import { parseYaml } from '../../document/parse-yaml.ts';
import { memberOf, type YamlMap } from '../../document/yaml-node.ts';
import { BuilditError } from '../../model/errors.ts';
import { isCleanRelativePath, isVersion, printable } from '../../model/names.ts';
import { templatedUrl } from '../guess-source.ts';
import type { DraftSource } from '../recipe-draft.ts';

import { DraftDependencyList, DraftNotes } from './draft-notes.ts';
import {
  descriptionHere,
  type ImportedRecipe,
  lastElement,
  type NeededFile,
  nameHere,
  type UnpinnedSource,
} from './imported-recipe.ts';
import { lineOf, noteKeys } from './note-keys.ts';
import { spdxLicense } from './spdx-license.ts';
import { type ClassPhases, type Dialect, type TranslatedBuild, translateBuild } from './translate-build.ts';

/** Translates a melange file (Wolfi's format): package, environment and pipeline. Its YAML is read as strictly as ours. */
export function importMelange(text: string, path: string, classPhases: ClassPhases): ImportedRecipe {
  const root = parseYaml(createDocumentText(path, path, text), 'input-invalid');
  const map = root.kind === 'map' ? root : undefined;
  const about = mapAt(map, 'package');
  const [name = '', version = ''] = [textAt(about, 'name'), textAt(about, 'version')];
  if (name === '' || !isVersion(version)) {
    throw new BuilditError(
      'input-invalid',
      `Cannot import "${printable(path)}": expected package.name and package.version, found none`,
    );
  }
  const notes = new DraftNotes();
  const reading = new PipelineReading(notes, substitutions(map, { name, version }), version);
  for (const step of mapsAt(map, 'pipeline')) reading.step(step);
  const environment = mapAt(map, 'environment');
  const dependencies = new DraftDependencyList(notes);
  for (const { text: item } of scalarsAt(mapAt(environment, 'contents'), 'packages')) {
    dependencies.addAlpine(reading.text(item), (called) => (called.includes('-dev') ? 'link' : 'build'));
  }
  for (const { text: item } of scalarsAt(mapAt(about, 'dependencies'), 'runtime')) {
    dependencies.addAlpine(reading.text(item), () => 'run');
  }
  noteUnreadKeys(map, notes);
  const licenses = mapsAt(about, 'copyright').flatMap((one) => textAt(one, 'license') ?? []);
  const license = spdxLicense([...new Set(licenses)].join(' AND '));
  if (license === undefined) notes.todo('license', `not an SPDX expression: ${licenses.join(', ') || 'it says none'}`);
  const built = reading.built(classPhases);
  return {
    draft: {
      name: nameHere(name),
      description: descriptionHere(textAt(about, 'description') ?? ''),
      homepage: textAt(about, 'url'),
      license,
      version,
      sources: reading.sources,
      class: built.class,
      configure: built.configure,
      dependencies: dependencies.kinds,
      environment: readEnvironment(mapAt(environment, 'environment'), reading, notes),
      phases: built.phases,
      patches: Object.fromEntries(reading.files.map(({ to }) => [to, 'TODO: what it is for'])),
      notes: notes.notes,
    },
    files: reading.files,
    unpinned: reading.unpinned,
  };
}

/** Repositories and keys of the other system, and its revision, are nothing that a recipe here could say. */
function noteUnreadKeys(root: YamlMap | undefined, notes: DraftNotes): void {
  for (const [key, at] of [
    ['test', 'test'],
    ['update', 'update'],
  ] as const) {
    const member = memberOf(root, key);
    if (member !== undefined) notes.todo(at, `the part "${key}" (line ${lineOf(member.key)}) is not translated`);
  }
  noteKeys(root, 'package environment pipeline subpackages vars var-transforms test update', {
    ...{ path: '', at: 'phases', notes },
  });
  const about = mapAt(root, 'package');
  noteKeys(about, 'name version epoch description url copyright dependencies', {
    ...{ path: 'package.', at: 'name', notes },
  });
  noteKeys(mapAt(about, 'dependencies'), 'runtime', { path: 'package.dependencies.', at: 'dependencies', notes });
  for (const one of mapsAt(about, 'copyright')) {
    noteKeys(one, 'license paths license-path', { path: 'package.copyright.', at: 'license', notes });
  }
  const environment = mapAt(root, 'environment');
  noteKeys(environment, 'contents environment', { path: 'environment.', at: 'environment', notes });
  noteKeys(mapAt(environment, 'contents'), 'packages repositories build_repositories runtime_repositories keyring', {
    ...{ path: 'environment.contents.', at: 'environment', notes },
  });
  for (const sub of mapsAt(root, 'subpackages')) {
    const called = `the subpackage ${textAt(sub, 'name') ?? ''} (line ${lineOf(sub)})`;
    notes.todo('phases', `${called} is not translated: what it would hold stays in this package`);
  }
  noteUnusedVariables(root, notes);
}

/** A variable that something is made of is read with that. */
function noteUnusedVariables(root: YamlMap | undefined, notes: DraftNotes): void {
  const used = new Set(
    [...(root?.document.text ?? '').matchAll(/\bvars\.([A-Za-z0-9._-]+)/g)].map(([, name]) => name!),
  );
  for (const { key, name } of mapAt(root, 'vars')?.members ?? []) {
    if (!used.has(name)) notes.todo('name', `vars.${name} (line ${lineOf(key)}) is not translated`);
  }
  for (const transform of mapsAt(root, 'var-transforms')) {
    const to = textAt(transform, 'to') ?? '';
    if (!used.has(to)) notes.todo('name', `var-transforms (line ${lineOf(transform)}) is not translated: to ${to}`);
  }
}

/** Variables that buildit sets itself, or that are no plain text, are left to a person. */
function readEnvironment(
  map: YamlMap | undefined,
  reading: PipelineReading,
  notes: DraftNotes,
): Readonly<Record<string, string>> {
  const variables: [string, string][] = [];
  for (const { key, name, value } of map?.members ?? []) {
    const text = value.kind === 'scalar' ? reading.text(value.text) : undefined;
    const isOwn = /^(?:DESTDIR|FILESDIR|HOME|JOBS|SOURCE_DATE_EPOCH|TMPDIR|BUILDIT_.*)$/.test(name);
    const isPlain = text !== undefined && !/\{\{|[$`\n]/.test(text) && printable(text) === text;
    if (isPlain && !isOwn && /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) variables.push([name, text]);
    else
      noteKeys({ ...map!, members: [{ key, name, value }] }, '', {
        path: 'environment.environment.',
        at: 'environment',
        notes,
      });
  }
  return Object.fromEntries(variables);
}

/** `${{package.version}}`, `${{vars.x}}` and what var-transforms make of them. */
function substitutions(root: YamlMap | undefined, { name, version }: { name: string; version: string }) {
  const known = new Map([
    ['package.name', name],
    ['package.version', version],
    ['package.full-version', version],
    ['package.epoch', textAt(mapAt(root, 'package'), 'epoch') ?? '0'],
    ['targets.destdir', '$DESTDIR'],
    ['targets.contextdir', '$DESTDIR'],
    ['host.triplet.gnu', '{{triplet}}'],
    ['build.arch', '$(uname -m)'],
  ]);
  for (const { name: key, value } of mapAt(root, 'vars')?.members ?? []) {
    if (value.kind === 'scalar') known.set(`vars.${key}`, value.text);
  }
  for (const transform of mapsAt(root, 'var-transforms')) {
    const to = textAt(transform, 'to');
    const value = transformed(
      substitute(textAt(transform, 'from') ?? '', known).text,
      textAt(transform, 'match'),
      textAt(transform, 'replace'),
    );
    if (to !== undefined && value !== undefined) known.set(`vars.${to}`, value);
  }
  return known;
}

/** Only a change of single characters is understood: an expression from elsewhere is never run over anything. */
function transformed(value: string, match: string | undefined, replace: string | undefined): string | undefined {
  const [, character] = /^\\?([._+~-])$/.exec(match ?? '') ?? [];
  return character === undefined ? undefined : value.replaceAll(character, replace ?? '');
}

/** Above it, a value is left as it is referred to. */
const MOST_SUBSTITUTED = 1000;

function substitute(
  text: string,
  known: ReadonlyMap<string, string>,
): { readonly text: string; readonly unknown: readonly string[] } {
  const unknown: string[] = [];
  const replaced = text.replace(/\$\{\{\s*([A-Za-z0-9._-]+)\s*\}\}/g, (written, key) => {
    const value = known.get(key);
    const isUsable = value !== undefined && value.length <= MOST_SUBSTITUTED;
    if (!isUsable) unknown.push(written);
    return isUsable ? value : written;
  });
  return { text: replaced, unknown };
}

/** What pipelines that take `opts` run. */
const COMMANDS: Readonly<Record<string, string>> = {
  'autoconf/configure': './configure',
  'autoconf/make': 'make',
  'autoconf/make-install': 'make install',
  'cmake/configure': 'cmake -B build',
  'cmake/build': 'cmake --build build',
  'cmake/install': 'cmake --install build',
  'meson/configure': 'meson setup output',
  'meson/compile': 'meson compile',
  'meson/install': 'meson install',
};

/** What is read, or means nothing here, of the pipelines that are no commands. */
const READ_BY: Readonly<Record<string, string>> = {
  fetch: 'uri expected-sha256 expected-sha512',
  'git-checkout': 'repository tag branch expected-commit depth',
  patch: 'patches',
};

class PipelineReading {
  readonly sources: DraftSource[] = [];
  readonly unpinned: UnpinnedSource[] = [];
  readonly files: NeededFile[] = [];
  readonly #notes: DraftNotes;
  readonly #known: ReadonlyMap<string, string>;
  readonly #version: string;
  readonly #scripts: string[] = [];
  #installs: string[] = [];

  constructor(notes: DraftNotes, known: ReadonlyMap<string, string>, version: string) {
    this.#notes = notes;
    this.#known = known;
    this.#version = version;
  }

  step(step: YamlMap): void {
    const condition = textAt(step, 'if');
    if (condition !== undefined) this.#notes.todo('phases', `only where ${condition}`);
    for (const nested of mapsAt(step, 'pipeline')) this.step(nested);
    const uses = textAt(step, 'uses');
    const given = mapAt(step, 'with');
    const runs = textAt(step, 'runs');
    if (runs !== undefined) this.#run(runs);
    noteKeys(step, 'name label if pipeline uses with runs', {
      ...{ path: 'a step of the pipeline: ', at: 'phases', notes: this.#notes },
    });
    if (uses === undefined) {
      noteKeys(given, '', { path: 'with.', at: 'phases', notes: this.#notes });
      return;
    }
    this.#use(uses, lineOf(step), (key) => this.#text(textAt(given, key)));
    const read = Object.hasOwn(COMMANDS, uses) ? 'opts' : Object.hasOwn(READ_BY, uses) ? READ_BY[uses]! : '';
    noteKeys(given, read, { path: `${uses}: `, at: 'phases', notes: this.#notes });
  }

  /** A text with what is substituted in it. */
  text(text: string): string {
    return this.#text(text) ?? '';
  }

  #use(uses: string, line: number, given: (key: string) => string | undefined): void {
    const command = Object.hasOwn(COMMANDS, uses) ? COMMANDS[uses] : undefined;
    if (command !== undefined) {
      const script = `${command} ${given('opts') ?? ''}`.replace(/\s+/g, ' ').trim();
      if (uses.endsWith('install')) this.#install(script);
      else this.#push(script);
    } else if (uses === 'fetch') this.#fetch(given);
    else if (uses === 'git-checkout') this.#checkout(given);
    else if (uses === 'patch') this.#patch(given('patches'));
    // Every output is stripped here of what has no place in a package.
    else if (uses !== 'strip') this.#notes.todo('phases', `the pipeline ${uses} (line ${line}) is not known here`);
  }

  #text(text: string | undefined): string | undefined {
    if (text === undefined) return undefined;
    const { text: replaced, unknown } = substitute(text, this.#known);
    for (const one of unknown) this.#notes.todo('phases', `${one} means nothing here`);
    return replaced;
  }

  #fetch(given: (key: string) => string | undefined): void {
    const url = (given('uri') ?? '').replace(/^http:/, 'https:');
    if (!url.startsWith('https://') || printable(url) !== url) {
      this.#notes.todo('source', `only https is fetched: ${url}`);
      return;
    }
    const sha256 = given('expected-sha256');
    const isKnown = sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256);
    if (!isKnown) this.unpinned.push({ index: this.sources.length, url, sha512: given('expected-sha512') });
    this.sources.push({ url: templatedUrl(url, this.#version), sha256: isKnown ? sha256 : undefined });
  }

  /** A forge's archive of the tag holds the same files. */
  #checkout(given: (key: string) => string | undefined): void {
    const repository = (given('repository') ?? '').replace(/\.git$/, '').replace(/\/$/, '');
    const tag = given('tag') ?? given('branch') ?? '';
    const commit = given('expected-commit');
    const isForge = /^https:\/\/(?:github\.com|codeberg\.org)\/[\w.-]+\/[\w.-]+$/.test(repository);
    const gitlab = /^https:\/\/gitlab\.[\w.-]+\/(?:[\w.-]+\/)+[\w.-]+$/.test(repository);
    if ((!isForge && !gitlab) || !/^[\w./+-]+$/.test(tag)) {
      this.#notes.todo(
        'source',
        `a git repository: ${repository} at ${tag} (${commit ?? 'no commit'}); name an archive of it`,
      );
      return;
    }
    const base = repository.slice(repository.lastIndexOf('/') + 1);
    const url = isForge
      ? `${repository}/archive/refs/tags/${tag}.tar.gz`
      : `${repository}/-/archive/${tag}/${base}-${tag}.tar.gz`;
    this.#notes.todo(
      'source',
      `was a git repository at the commit ${commit ?? 'nobody says'}; submodules are not in an archive`,
    );
    this.unpinned.push({ index: this.sources.length, url, sha512: undefined });
    this.sources.push({ url: templatedUrl(url, this.#version) });
  }

  #patch(patches: string | undefined): void {
    for (const path of (patches ?? '').split(/\s+/).filter((one) => one !== '')) {
      if (isCleanRelativePath(path)) this.files.push({ from: path, to: `patches/${lastElement(path)}` });
      else this.#notes.todo('patches', `not the name of a file: ${path}`);
    }
  }

  #push(script: string): void {
    this.#scripts.push(script);
  }

  #install(script: string): void {
    this.#installs.push(script);
  }

  /** What installs comes into the phase install, with all that follows. */
  #run(runs: string): void {
    const text = this.#text(runs) ?? '';
    if (this.#installs.length > 0 || text.includes('$DESTDIR')) this.#install(text);
    else this.#push(text);
  }

  built(classPhases: ClassPhases): TranslatedBuild {
    const dialect: Dialect = {
      values: new Map(),
      variables: { MELANGE_TRIPLET: '{{triplet}}' },
      command: () => undefined,
    };
    const [build, install] = [this.#scripts, this.#installs].map((scripts) =>
      scripts.join('\n').replaceAll('{{triplet}}', '$MELANGE_TRIPLET'),
    );
    return translateBuild({ build, install }, { dialect, notes: this.#notes, classPhases });
  }
}
