import { basename, dirname, isAbsolute, resolve } from 'node:path';
import { booleanAt, mapAt, mapsAt, scalarAt, scalarsAt } from '../document/fields.ts';
import { Problems } from '../document/problems.ts';
import { readDocument, shownPath } from '../document/read-document.ts';
import { validateSchema } from '../document/validate-schema.ts';
import { positionOf, shorten, type YamlMap, type YamlScalar } from '../document/yaml-node.ts';
import type { GitRecipes, RecipeRepository } from '../model/config.ts';
import { isFlagName, isRepositoryName, printable } from '../model/names.ts';
import { ECOSYSTEMS } from '../model/registry.ts';
import { shownAddress } from '../model/without-secrets.ts';
import { expandHome } from '../system/needed-directories.ts';
import { type Environment, namesOtherHome } from '../system/user-directories.ts';
import type { Witness } from '../system/witness.ts';
import type { ConfigFile } from './config-files.ts';
import type { ConfigSettings } from './config-settings.ts';
import { parseJobs, parseMirror, parseRegistry } from './config-values.ts';
import { projectSettings } from './project-settings.ts';
import { parseBytes, parseDurationMs } from './quantities.ts';
import { readBinhost } from './read-binhost.ts';
import { staysInProject } from './stays-in-project.ts';
import { isTrustedConfig, type TrustedConfigs } from './trusted-configs.ts';

/** Words of the configuration that this version refuses by name. */
const UNSUPPORTED = { 'build.executor': ['slurm', 'oci'] } as const;

export interface ReadConfigOptions {
  readonly trusted: TrustedConfigs;
  readonly environment: Environment;
  /** Path of the user's own file, for hints; undefined for a user without a home directory. */
  readonly userConfig: string | undefined;
  readonly witness: Witness | undefined;
}

/** Reads and checks one configuration file; from a project's it leaves out what only the user may set. */
export async function readConfigFile(
  { kind, path }: ConfigFile,
  { trusted, environment, userConfig, witness }: ReadConfigOptions,
): Promise<{ readonly settings: ConfigSettings; readonly notices: readonly string[] }> {
  const directory = dirname(path);
  // The user's own file may be a link to where they keep such files; a project's may not lead out of the project.
  const isOfUser = kind === 'user' || kind === 'system';
  const boundary = isOfUser ? '/' : directory;
  const root = await readDocument(directory, basename(path), { boundary, code: 'configuration-invalid', witness });
  const problems = new Problems('configuration-invalid');
  await validateSchema('buildit-config', root, problems, UNSUPPORTED);
  const map = root.kind === 'map' ? root : undefined;
  const isTrusted = isOfUser || (kind === 'project' && (await isTrustedConfig(path, root.document.text, trusted)));
  const notices: string[] = [];
  const project = isTrusted || map === undefined ? undefined : projectSettings(map);
  for (const { key, line } of project?.ignored ?? []) notices.push(untrustedNotice(key, { path, line }));
  const place: SettingsPlace = { directory, path, environment, userConfig, isTrusted, problems, notices };
  const settings = readSettings(project?.counted ?? map, place);
  problems.throwAll();
  if (kind === 'spec') return { settings: recipesAlone(settings), notices: [] };
  return { settings, notices };
}

/** A spec that was pulled says where its recipes are; everything else is for the place that it was pulled into to say. */
function recipesAlone({ origin, recipes, gitRecipes }: ConfigSettings): ConfigSettings {
  return { origin, isSpec: true, recipes, gitRecipes };
}

interface SettingsPlace {
  readonly directory: string;
  readonly path: string;
  readonly environment: Environment;
  readonly userConfig: string | undefined;
  readonly isTrusted: boolean;
  readonly problems: Problems;
  /** Takes what the user is told. */
  readonly notices: string[];
}

function readSettings(map: YamlMap | undefined, place: SettingsPlace): ConfigSettings {
  const { path, isTrusted, problems } = place;
  const build = mapAt(map, 'build');
  const parsed = <Value>(
    at: YamlMap | undefined,
    key: string,
    expected: string,
    parse: (text: string) => Value | undefined,
    hint?: string,
  ) => {
    const node = scalarAt(at, key);
    const value = node && parse(node.text);
    if (node === undefined || value !== undefined) return value;
    // Only an address has a user part; one without a scheme is no address that a message could be cleared of.
    if (!node.text.includes('@')) problems.expected(node, key, expected, { hint });
    else {
      const found = shorten(shownAddress(node.text));
      problems.add(node, `Cannot read "${key}": expected ${expected}, found "${found}"`, { hint, hidesLine: true });
    }
    return value;
  };
  const store = scalarAt(map, 'store');
  const allowedSigners = scalarAt(mapAt(map, 'trust'), 'allowed-signers');
  const signKey = scalarAt(mapAt(map, 'sign'), 'key');
  const mirrorOf = (text: string) => (isTrusted || !/^file:/i.test(text) ? parseMirror(text) : undefined);
  const binhostOptions = {
    isTrusted,
    problems,
    onTooHigh: (node: YamlScalar, label: string) =>
      place.notices.push(untrustedNotice(label, { path, line: positionOf(node).line }, 'is above the usual 20s')),
    resolvePath: (node: YamlScalar, label: string) => absolutePathOf(node, label, place),
    resolvePlace: (node: YamlScalar, label: string, use: 'upload' | 'download') =>
      binhostDirectory(node, label, use, place),
  };
  const repository = mapAt(map, 'repository');
  return {
    origin: () => path,
    limitLines: isTrusted ? undefined : limitLines(build, path),
    store: store && absolutePathOf(store, 'store', place),
    mirror: parsed(
      mapAt(map, 'debian'),
      'mirror',
      `the URL of a mirror without user and password${isTrusted ? '' : ', by https or http'}`,
      mirrorOf,
      isTrusted ? undefined : acceptHint(path),
    ),
    registries: Object.fromEntries(
      ECOSYSTEMS.flatMap((name) => {
        const url = parsed(
          mapAt(map, 'registries'),
          name,
          'the URL of a registry without user and password',
          parseRegistry,
        );
        return url === undefined ? [] : [[name, url]];
      }),
    ),
    jobs: parsed(build, 'jobs', 'a number from 1 to 1024, or auto', parseJobs),
    timeoutMs: parsed(build, 'timeout', 'a time such as 2h, 30m or 90s', parseDurationMs),
    memoryBytes: parsed(build, 'memory', 'a size such as 4G or 512M', parseBytes),
    keepFailed: booleanAt(build, 'keep-failed'),
    repository: repository && readBinhost(repository, 'repository', binhostOptions),
    repositories: mapsAt(map, 'repositories').flatMap(
      (binhost) => readBinhost(binhost, 'repositories', binhostOptions) ?? [],
    ),
    userPatches: booleanAt(map, 'user-patches'),
    signKey: signKey && keyOf(signKey, place),
    allowedSigners: allowedSigners && absolutePathOf(allowedSigners, 'trust.allowed-signers', place),
    recipes: readRecipes(map, place),
    gitRecipes: readGitRecipes(map, place),
    use: readUse(map, problems),
  };
}

function readRecipes(map: YamlMap | undefined, place: SettingsPlace): readonly RecipeRepository[] {
  return mapsAt(map, 'recipes').flatMap((entry) => {
    const name = scalarAt(entry, 'name');
    const path = scalarAt(entry, 'path');
    if (name !== undefined && !isRepositoryName(name.text)) {
      place.problems.expected(name, 'recipes.name', 'a name such as team');
    }
    if (path === undefined && scalarAt(entry, 'git') === undefined && name !== undefined) {
      place.problems.expected(name, `recipes.${name.text}`, 'a path or a git repository');
    }
    if (path === undefined || name === undefined) return [];
    return [{ name: name.text, path: recipesPath(path, place) }];
  });
}

function readGitRecipes(map: YamlMap | undefined, { problems }: SettingsPlace): readonly GitRecipes[] {
  return mapsAt(map, 'recipes').flatMap((entry) => {
    const [name, git, ref] = ['name', 'git', 'ref'].map((key) => scalarAt(entry, key));
    if (git === undefined) {
      if (ref !== undefined) problems.add(ref, 'Cannot use "ref": expected "git" beside it, found none');
      return [];
    }
    if (!isGitAddress(git.text))
      problems.expected(git, 'recipes.git', 'an address such as https://example.org/recipes.git');
    if (ref !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}$/.test(ref.text)) {
      problems.expected(ref, 'recipes.ref', 'a branch, a tag or a full commit id');
    }
    if (scalarAt(entry, 'path') !== undefined)
      problems.add(git, 'Cannot use "git": expected it alone, found "path" too');
    return name === undefined ? [] : [{ name: name.text, git: git.text, ref: ref?.text }];
  });
}

function isGitAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && printable(text) === text;
}

function readUse(map: YamlMap | undefined, problems: Problems): ConfigSettings['use'] {
  const use = mapAt(map, 'use');
  if (use === undefined) return undefined;
  const names = (key: string) =>
    scalarsAt(use, key).map((node) => {
      if (!isFlagName(node.text)) problems.expected(node, `use.${key}`, 'a flag name such as http2');
      return node.text;
    });
  return { with: names('with'), without: names('without') };
}

function acceptHint(path: string): string {
  return `accept the file as it is with: buildit config trust ${shownPath(path)}`;
}

function recipesPath(node: YamlScalar, place: SettingsPlace): string {
  if (place.isTrusted || staysInProject(place.directory, node.text)) return absolutePathOf(node, 'recipes.path', place);
  const own =
    place.userConfig === undefined ? '' : `, or name the recipes in your own configuration, ${place.userConfig}`;
  place.problems.expected(node, 'recipes.path', 'a relative path that stays inside the directory of this file', {
    hint: `${acceptHint(place.path)}${own}`,
  });
  return node.text;
}

/**
 * The directory of a binhost. A project may name an absolute one to upload to, which a command line must ask for, and
 * reads no directory outside of itself.
 */
function binhostDirectory(
  node: YamlScalar,
  label: string,
  use: 'upload' | 'download',
  place: SettingsPlace,
): string | undefined {
  const { directory, path, isTrusted, notices } = place;
  if (isTrusted || staysInProject(directory, node.text)) return absolutePathOf(node, label, place);
  if (use === 'upload' && isAbsolute(node.text)) return resolve(node.text);
  notices.push(untrustedNotice(label, { path, line: positionOf(node).line }, 'leads out of the project'));
  return undefined;
}

/** A path as the file means it: relative to the file's directory, `~` being the user's home. */
function absolutePathOf(node: YamlScalar, label: string, { directory, environment, problems }: SettingsPlace): string {
  if (namesOtherHome(node.text)) {
    problems.expected(node, label, 'a path, or one below your own home, ~/…', {
      hint: `write the home of another user in full; a directory of that name is ./${node.text}`,
    });
    return node.text;
  }
  return resolve(directory, expandHome(node.text, environment));
}

/** A file is relative to this file, as every path is; `~` stays as it was written. */
function keyOf(node: YamlScalar, place: SettingsPlace): string {
  const isElsewhere = /^(?:agent|env):/.test(node.text) || node.text === '~' || node.text.startsWith('~/');
  return isElsewhere ? node.text : absolutePathOf(node, 'sign.key', place);
}

/** Where each limit stands that counts only below the user's value. */
function limitLines(build: YamlMap | undefined, path: string): Readonly<Record<string, string>> {
  const members = build?.members ?? [];
  return Object.fromEntries(
    members.map(({ name, key }) => [`build.${name}`, `${printable(shownPath(path))}:${positionOf(key).line}`]),
  );
}

function untrustedNotice(
  key: string,
  { path, line }: { readonly path: string; readonly line: number },
  reason = 'came with its directory',
): string {
  const shown = printable(shownPath(path));
  const because =
    reason === 'came with its directory' ? `the file ${reason}` : `it ${reason} and the file came with it`;
  return `"${key}" in ${shown}:${line} does not count, because ${because} (buildit config trust ${shown} accepts it)`;
}
