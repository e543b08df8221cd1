import { basename, dirname, join, resolve } from 'node:path';
import { booleanAt, mapAt, mapsAt, scalarAt, scalarsAt, textAt } from '../document/fields.ts';
import { Problems } from '../document/problems.ts';
import { readDocument, shownPath } from '../document/read-document.ts';
import { cleanRelativePath } from '../document/resolve-inside.ts';
import { validateSchema } from '../document/validate-schema.ts';
import type { YamlMap } from '../document/yaml-node.ts';
import type { GitRecipes, RecipeRepository } from '../model/config.ts';
import { isFlagName, isRepositoryName, printable } from '../model/names.ts';
import { ECOSYSTEMS } from '../model/registry.ts';
import type { Witness } from '../system/witness.ts';
import type { ConfigFile } from './config-files.ts';
import type { ConfigSettings } from './config-settings.ts';
import { parseJobs, parseMirror, parseRegistry } from './config-values.ts';
import { parseBytes, parseDurationMs } from './quantities.ts';
import { readBinhost } from './read-binhost.ts';
import { isTrustedConfig, type TrustedConfigs } from './trusted-configs.ts';
import { untrustedSettings } from './untrusted-settings.ts';

/** Words of the configuration that this version refuses by name. */
const UNSUPPORTED = { 'build.executor': ['slurm', 'oci'] } as const;

export interface ReadConfigOptions {
  readonly trusted: TrustedConfigs;
  readonly home: string;
  /** Path of the user's own file, for hints. */
  readonly userConfig: string;
  readonly witness: Witness | undefined;
}

/** Reads and checks one configuration file; from a project's it leaves out what only the user may set. */
export async function readConfigFile(
  { kind, path }: ConfigFile,
  { trusted, home, userConfig, witness }: ReadConfigOptions,
): Promise<{ readonly settings: ConfigSettings; readonly notices: readonly string[] }> {
  const directory = dirname(path);
  // The user's own file may be a link to where they keep such files; a project's may not lead out of the project.
  const boundary = kind === 'project' ? directory : '/';
  const root = await readDocument(directory, basename(path), { boundary, code: 'configuration-invalid', witness });
  const problems = new Problems('configuration-invalid');
  await validateSchema('buildit-config', root, problems, UNSUPPORTED);
  const map = root.kind === 'map' ? root : undefined;
  const isTrusted = kind !== 'project' || (await isTrustedConfig(path, root.document.text, trusted));
  const ignored = isTrusted || map === undefined ? [] : untrustedSettings(map);
  const settings = readSettings(map, { directory, path, home, userConfig, isTrusted, problems });
  problems.throwAll();
  return { settings, notices: ignored.map((key) => untrustedNotice(key, path)) };
}

interface SettingsPlace {
  readonly directory: string;
  readonly path: string;
  readonly home: string;
  readonly userConfig: string;
  readonly isTrusted: boolean;
  readonly problems: Problems;
}

function readSettings(map: YamlMap | undefined, place: SettingsPlace): ConfigSettings {
  const { directory, path, home, isTrusted, problems } = place;
  const build = mapAt(map, 'build');
  const parsed = <Value>(
    at: YamlMap | undefined,
    key: string,
    expected: string,
    parse: (text: string) => Value | undefined,
  ) => {
    const node = scalarAt(at, key);
    const value = node && parse(node.text);
    if (node !== undefined && value === undefined) problems.expected(node, key, expected);
    return value;
  };
  const store = scalarAt(map, 'store')?.text;
  const resolvePath = (text: string) => resolve(directory, expandHome(text, home));
  const binhostOptions = { isTrusted, problems, resolvePath };
  const allowedSigners = textAt(mapAt(map, 'trust'), 'allowed-signers');
  const repository = mapAt(map, 'repository');
  return {
    origin: () => path,
    store: store === undefined || !isTrusted ? undefined : resolvePath(store),
    mirror: parsed(mapAt(map, 'debian'), 'mirror', 'the URL of a mirror without user and password', parseMirror),
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
    userPatches: isTrusted ? booleanAt(map, 'user-patches') : undefined,
    signKey: isTrusted ? textAt(mapAt(map, 'sign'), 'key') : undefined,
    allowedSigners: isTrusted && allowedSigners !== undefined ? resolvePath(allowedSigners) : undefined,
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
    if (!place.isTrusted && cleanRelativePath(path.text) === undefined) {
      place.problems.expected(path, 'recipes.path', 'a relative path that stays inside the directory of this file', {
        hint: `recipes elsewhere belong into your own configuration, ${place.userConfig}`,
      });
    }
    return [{ name: name.text, path: resolve(place.directory, expandHome(path.text, place.home)) }];
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

function expandHome(path: string, home: string): string {
  return path === '~' || path.startsWith('~/') ? join(home, path.slice(1)) : path;
}

function untrustedNotice(key: string, path: string): string {
  const shown = printable(shownPath(path));
  return `"${key}" in ${shown} does not count, because the file came with its directory (buildit config trust ${shown} accepts it)`;
}
