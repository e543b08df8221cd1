import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Ecosystem } from '../model/registry.ts';
import { withoutTrailing } from '../model/without-trailing.ts';
import { findProgram } from '../system/programs.ts';
import { absolutePath } from '../system/user-directories.ts';

/** Where an ecosystem's files come from. All addresses are https or http, without a trailing slash. */
export type Registry =
  /** npm's registry, or Go's module proxies in the order they are asked. */
  | { readonly kind: 'direct'; readonly urls: readonly string[] }
  /** Python's simple index. */
  | { readonly kind: 'simple'; readonly url: string }
  /** Cargo's sparse index, whose config.json says where crates are. */
  | { readonly kind: 'sparse'; readonly url: string }
  /** What cargo's config.json said: an address, or a template of one. */
  | { readonly kind: 'crates'; readonly template: string };

export interface HostOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Undefined: the user's own files are not there. */
  readonly home: string | undefined;
  /** Directory of the system's configuration, /etc. */
  readonly etc?: string;
  /** False: only variables and files count, and no program of the host is run. */
  readonly asks?: boolean;
}

/**
 * The registry that the host's own tool of an ecosystem is configured for: the tool's variables, the user's and the
 * system's configuration files, and last what the tool itself says. Undefined where none of them says anything. A file
 * inside a project is never asked.
 */
export async function findHostRegistry(ecosystem: Ecosystem, host: HostOptions): Promise<Registry | undefined> {
  switch (ecosystem) {
    case 'npm':
      return direct(await npmRegistry(host));
    case 'go':
      return direct(await goProxies(host));
    case 'python': {
      const url = webAddress(await pythonIndex(host));
      return url === undefined ? undefined : { kind: 'simple', url };
    }
    case 'cargo':
      return await cargoRegistry(host);
  }
}

/** A configured registry, as `registries` in buildit's own configuration names it. */
export function configuredRegistry(ecosystem: Ecosystem, url: string): Registry {
  switch (ecosystem) {
    case 'npm':
    case 'go':
      return { kind: 'direct', urls: [url] };
    case 'python':
      return { kind: 'simple', url };
    case 'cargo':
      return { kind: 'sparse', url };
  }
}

function direct(texts: readonly (string | undefined)[]): Registry | undefined {
  const urls = texts.flatMap((text) => webAddress(text) ?? []);
  return urls.length === 0 ? undefined : { kind: 'direct', urls };
}

/** An https or http URL without a trailing slash; undefined for everything else. */
export function webAddress(text: string | undefined): string | undefined {
  const trimmed = text?.trim() ?? '';
  if (!/^https?:\/\/[^/\s]/.test(trimmed) || /\s/.test(trimmed) || !URL.canParse(trimmed)) return undefined;
  return withoutTrailing(trimmed, '/');
}

async function npmRegistry(host: HostOptions): Promise<(string | undefined)[]> {
  const { environment, home, etc = '/etc' } = host;
  const variable = Object.entries(environment).find(([key]) => /^npm_config_registry$/i.test(key))?.[1];
  const userConfig = Object.keys(environment).find((key) => /^npm_config_userconfig$/i.test(key));
  const own = (userConfig && absolutePath(environment, userConfig)) ?? below(home, '.npmrc');
  const fromFile = async (path: string | undefined) => iniValue(await textOf(path), 'registry');
  return [
    variable ||
      (await fromFile(own)) ||
      (await fromFile(join(etc, 'npmrc'))) ||
      (await answerOf('npm', ['config', 'get', 'registry'], host)),
  ];
}

async function goProxies(host: HostOptions): Promise<string[]> {
  const { environment } = host;
  const file = absolutePath(environment, 'GOENV') ?? below(configOf(host), 'go/env');
  const text =
    environment.GOPROXY ||
    iniValue(await textOf(environment.GOENV === 'off' ? undefined : file), 'GOPROXY') ||
    (await answerOf('go', ['env', 'GOPROXY'], host));
  return (text ?? '').split(/[,|]/);
}

const PYTHON_DEFAULT = 'from pip._internal.models.index import PyPI; print(PyPI.simple_url)';

async function pythonIndex(host: HostOptions): Promise<string | undefined> {
  const { environment, home, etc = '/etc' } = host;
  if (environment.PIP_INDEX_URL) return environment.PIP_INDEX_URL;
  const own = absolutePath(environment, 'PIP_CONFIG_FILE');
  const files = [below(configOf(host), 'pip/pip.conf'), below(home, '.pip/pip.conf'), join(etc, 'pip.conf')];
  for (const path of own === undefined ? files : [own]) {
    const found = iniValue(await textOf(path), 'index-url');
    if (found !== undefined) return found;
  }
  return await answerOf('python3', ['-c', PYTHON_DEFAULT], host);
}

/**
 * A source that stands in for the usual one, else where cargo last found its index: it keeps the index's config.json,
 * and has no command that tells it.
 */
async function cargoRegistry({ environment, home }: HostOptions): Promise<Registry | undefined> {
  const directory = absolutePath(environment, 'CARGO_HOME') ?? below(home, '.cargo');
  if (directory === undefined) return undefined;
  const text = (await textOf(join(directory, 'config.toml'))) || (await textOf(join(directory, 'config')));
  const replacement = tomlValue(text, '[source.crates-io]', 'replace-with');
  const replaced = tomlValue(text, `[source.${replacement}]`, 'registry');
  const url = webAddress(replaced?.replace(/^sparse\+/, ''));
  if (url !== undefined) return { kind: 'sparse', url };
  const indices = join(directory, 'registry', 'index');
  for (const name of (await readdir(indices).catch(() => [])).sort()) {
    const template = crateTemplate(await textOf(join(indices, name, 'config.json')));
    if (template !== undefined) return { kind: 'crates', template };
  }
  return undefined;
}

/** Where crates are, by the config.json of an index; one that was read over https does not lead down to http. */
export function crateTemplate(text: string, index?: string): string | undefined {
  try {
    const { dl } = JSON.parse(text) as { readonly dl?: unknown };
    const address = typeof dl === 'string' ? webAddress(dl) : undefined;
    const leadsDown = index?.startsWith('https:') === true && address?.startsWith('http:') === true;
    return leadsDown ? undefined : address;
  } catch {
    return undefined;
  }
}

function iniValue(text: string, key: string): string | undefined {
  const line = text.split('\n').find((one) => new RegExp(`^\\s*${key}\\s*=`).test(one));
  return line
    ?.slice(line.indexOf('=') + 1)
    .trim()
    .replace(/^"(.*)"$/, '$1');
}

function tomlValue(text: string, section: string, key: string): string | undefined {
  let current = '';
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line.startsWith('[')) current = line.replaceAll('"', '');
    const [, name, value] = /^([A-Za-z-]+)\s*=\s*["']([^"']*)["']/.exec(line) ?? [];
    if (current === section && name === key) return value;
  }
  return undefined;
}

async function textOf(path: string | undefined): Promise<string> {
  return path === undefined ? '' : await readFile(path, 'utf8').catch(() => '');
}

/** The user's configuration directory, as the tools of the host find it. */
function configOf({ environment, home }: HostOptions): string | undefined {
  return absolutePath(environment, 'XDG_CONFIG_HOME') ?? below(home, '.config');
}

function below(directory: string | undefined, path: string): string | undefined {
  return directory === undefined ? undefined : join(directory, path);
}

/** What a tool prints; run outside every project, so that no file of one is read. Undefined where it cannot tell. */
async function answerOf(
  program: string,
  args: readonly string[],
  { environment, home, asks = true }: HostOptions,
): Promise<string | undefined> {
  if (!asks) return undefined;
  const path = findProgram(program, { PATH: environment.PATH });
  if (path === undefined) return undefined;
  const options = { cwd: '/', env: { ...environment, HOME: home }, timeout: 20_000, encoding: 'utf8' } as const;
  return await promisify(execFile)(path, [...args], options).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}
