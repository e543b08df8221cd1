import { guessClass, toolsForSign } from './guess-class.ts';
import { guessLicense, isLicenseFile } from './guess-license.ts';
import { guessFromLocation, guessFromStem, templatedUrl } from './guess-source.ts';
import type { DraftNote, DraftSource, RecipeDraft } from './recipe-draft.ts';

/** What was seen of a source archive. */
export interface SeenTree {
  /** The one directory everything lies in; undefined where there is none. */
  readonly directory: string | undefined;
  /** Names directly below it. */
  readonly topLevel: readonly string[];
  /** Contents of those that are small and tell something, by name. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Names at the top of a tree whose contents tell something. */
export function isTelling(name: string): boolean {
  return isLicenseFile(name) || ['package.json', 'Cargo.toml', 'pyproject.toml', 'meson.build'].includes(name);
}

export interface TreeSource {
  /** What was typed: a URL or the name of a file. */
  readonly location: string;
  readonly sha256: string;
  readonly isFile: boolean;
}

export interface WantedDraft {
  /** As the user wants it, where said; the category always is. */
  readonly category: string;
  readonly name: string | undefined;
  /** Classes that this version of buildit can build. */
  readonly classes: readonly string[];
}

/** A recipe for a source archive, guessed from its name and from what lies in it. */
export function draftFromTree(source: TreeSource, tree: SeenTree, wanted: WantedDraft): RecipeDraft {
  const notes: DraftNote[] = [];
  const note = (at: DraftNote['at'], text: string, kind: DraftNote['kind'] = 'check') => notes.push({ at, kind, text });
  const fromLocation = guessFromLocation(source.location);
  const fromDirectory = guessFromStem(tree.directory ?? '');
  const said = saidByProject(tree);
  const name = wanted.name ?? fromLocation.name ?? fromDirectory.name ?? said.name ?? 'unnamed';
  const version = fromLocation.version ?? fromDirectory.version ?? said.version;
  if (version === undefined) note('version', 'nothing in the archive or its name tells the version.');
  note('name', 'the category is for you to choose; the name is the one that dependencies use.');
  const license = guessFromTree(tree, said.license);
  if (license === undefined)
    note('license', 'no well-known licence was recognised; write its SPDX expression: license: …');
  else if (/GPL/.test(license))
    note('license', 'the text does not say whether later versions may be chosen (-only, -or-later).');
  const guessed = guessClass(tree.topLevel);
  const isSupported = wanted.classes.includes(guessed.name);
  if (guessed.sign === undefined) note('class', 'nothing tells how it is built: write the phases build and install.');
  else if (!isSupported) {
    note('class', `there is a ${guessed.sign}, but no class for it here: write the phases build and install.`);
  } else {
    const more = guessed.others.length === 0 ? '' : `; there is ${guessed.others.join(' and ')} too`;
    note('class', `chosen because there is a ${guessed.sign}${more}.`, 'remark');
  }
  const tools = isSupported ? toolsForSign(guessed.sign) : [];
  note('dependencies', 'build: tools; link: libraries and headers. An undeclared library is an error that names it.');
  const hasWork = guessed.sign !== undefined && isSupported;
  return {
    name: `${wanted.category}/${name}`,
    description: said.description ?? `TODO: what ${name} is, in one line`,
    homepage: said.homepage ?? homepageOf(source),
    license,
    version: version ?? '0',
    sources: [sourceOf(source, version)],
    class: hasWork ? guessed.name : 'none',
    dependencies: { build: tools },
    phases: hasWork ? undefined : { build: 'exit 1 # TODO', install: 'exit 1 # TODO: into "$DESTDIR"' },
    notes,
  };
}

function sourceOf({ location, sha256, isFile }: TreeSource, version: string | undefined): DraftSource {
  if (isFile) return { file: location };
  return { url: version === undefined ? location : templatedUrl(location, version), sha256 };
}

function homepageOf({ location, isFile }: TreeSource): string | undefined {
  if (isFile) return undefined;
  const [, forge] = /^(https:\/\/(?:github\.com|gitlab\.com|codeberg\.org)\/[^/]+\/[^/]+)\//.exec(location) ?? [];
  return forge ?? /^https:\/\/[^/]+\//.exec(location)?.[0];
}

function guessFromTree({ texts }: SeenTree, said: string | undefined): string | undefined {
  if (said !== undefined) return said;
  const found = Object.entries(texts)
    .filter(([name]) => isLicenseFile(name))
    .flatMap(([, text]) => guessLicense(text) ?? []);
  const unique = [...new Set(found)].sort();
  return unique.length === 0 ? undefined : unique.join(' OR ');
}

interface SaidByProject {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  readonly homepage?: string | undefined;
  readonly license?: string | undefined;
}

/** What package.json, Cargo.toml, pyproject.toml or meson.build say; only plain texts of one line are believed. */
function saidByProject({ texts }: SeenTree): SaidByProject {
  const json = texts['package.json'];
  if (json !== undefined) return saidByJson(json);
  const toml = texts['Cargo.toml'] ?? texts['pyproject.toml'];
  if (toml !== undefined) return saidByToml(toml);
  const meson = argumentsOfProject(texts['meson.build'] ?? '');
  return {
    name: /^\s*'([a-z0-9+._-]+)'/.exec(meson)?.[1],
    version: /\bversion\s*:\s*'([0-9][0-9A-Za-z.+~-]*)'/.exec(meson)?.[1],
    license: spdxOf(/\blicense\s*:\s*(?:\[\s*)?'([^']+)'/.exec(meson)?.[1]),
  };
}

/** What stands in the parentheses of `project(…)`, up to the first that closes. */
function argumentsOfProject(meson: string): string {
  const call = /\bproject\s*\(/.exec(meson);
  if (call === null) return '';
  const start = call.index + call[0].length;
  const end = meson.indexOf(')', start);
  return end < 0 ? '' : meson.slice(start, end);
}

function saidByJson(text: string): SaidByProject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  const member = (key: string) => {
    const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
    return typeof found === 'string' && !/[\n\r]/.test(found) && found.trim() !== '' ? found.trim() : undefined;
  };
  return {
    version: member('version'),
    description: member('description'),
    homepage: webAddress(member('homepage')),
    license: spdxOf(member('license')),
  };
}

function saidByToml(text: string): SaidByProject {
  const section = text.split(/^(?=\[)/m).find((part) => /^\[(?:package|project)\]/.test(part)) ?? '';
  const member = (key: string) => new RegExp(`^${key}\\s*=\\s*"([^"\\\\\n]+)"`, 'm').exec(section)?.[1]?.trim();
  return {
    version: member('version'),
    description: member('description'),
    homepage: webAddress(member('homepage') ?? member('repository')),
    license: spdxOf(member('license')),
  };
}

function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && /^https:\/\/[^\s]+$/.test(text) ? text : undefined;
}

function spdxOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[A-Za-z0-9(][A-Za-z0-9.+() -]{1,200}$/.test(text) ? text : undefined;
}
