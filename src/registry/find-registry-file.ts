import { BuilditError } from '../model/errors.ts';
import { type Ecosystem, escapeGo, type RegistryArtefact } from '../model/registry.ts';
import { remembered } from '../model/remembered.ts';
import { downloadBytes } from '../system/http.ts';
import {
  configuredRegistry,
  crateTemplate,
  findHostRegistry,
  type HostOptions,
  type Registry,
} from './host-registries.ts';
import { normalisedName } from './read-requirements.ts';
import { type IndexedFile, parseSimpleIndex } from './simple-index.ts';

export interface RegistryAddress {
  readonly url: string;
  /** Where the host's own configuration says http: every file is checked against a digest. */
  readonly allowHttp: boolean;
}

export interface Registries {
  /** Addresses of a file, in the order to try them. */
  addressesOf(artefact: RegistryArtefact): Promise<readonly RegistryAddress[]>;
  /** What Python's index lists of a package. */
  pythonFiles(name: string): Promise<readonly IndexedFile[]>;
}

export interface RegistryOptions {
  /** Addresses from buildit's configuration; they stand in for the host's. */
  readonly configured: Readonly<Partial<Record<Ecosystem, string>>>;
  readonly host: HostOptions;
  readonly signal: AbortSignal;
}

const MAXIMUM_INDEX_BYTES = 64 * 1024 * 1024;
const SIMPLE_TYPES = 'application/vnd.pypi.simple.v1+json, text/html;q=0.5';

/** Finds files of registries. Nothing is asked, of the host or the network, before it is needed, and nothing twice. */
export function openRegistries({ configured, host, signal }: RegistryOptions): Registries {
  const registries = new Map<Ecosystem, Promise<Registry>>();
  const pages = new Map<string, Promise<readonly IndexedFile[]>>();
  let crates: Promise<string> | undefined;

  const registryOf = (ecosystem: Ecosystem): Promise<Registry> =>
    remembered(registries, ecosystem, async () => {
      const url = configured[ecosystem];
      const found = url === undefined ? await findHostRegistry(ecosystem, host) : configuredRegistry(ecosystem, url);
      if (found === undefined) throw unknownRegistry(ecosystem);
      return found;
    });

  const download = async (
    url: string,
    { headers = {}, page }: { readonly headers?: Readonly<Record<string, string>>; readonly page?: true } = {},
  ): Promise<string> => {
    const options = { signal, headers, page, allowHttp: isHttp(url), maximumBytes: MAXIMUM_INDEX_BYTES };
    return (await downloadBytes(url, options)).toString('utf8');
  };

  const crateAddress = async (registry: Registry): Promise<string> => {
    if (registry.kind === 'crates') return registry.template;
    if (registry.kind !== 'sparse') throw unknownRegistry('cargo');
    crates ??= download(`${registry.url}/config.json`).then((text) => {
      const template = crateTemplate(text, registry.url);
      if (template !== undefined) return template;
      throw new BuilditError(
        'input-invalid',
        `Cannot use "${registry.url}/config.json": expected an address as safe as its own as "dl", found none`,
      );
    });
    return await crates;
  };

  const pythonFiles = (name: string): Promise<readonly IndexedFile[]> =>
    remembered(pages, normalisedName(name), async () => {
      const registry = await registryOf('python');
      const url = `${registry.kind === 'simple' ? registry.url : ''}/${normalisedName(name)}/`;
      return parseSimpleIndex(await download(url, { headers: { accept: SIMPLE_TYPES }, page: true }), url);
    });

  return {
    pythonFiles,
    async addressesOf(artefact) {
      const { ecosystem, name, version, fileName } = artefact;
      const registry = await registryOf(ecosystem);
      const urls = registry.kind === 'direct' ? registry.urls : [];
      switch (ecosystem) {
        case 'npm':
          return urls.map((url) => address(`${url}/${name}/-/${fileName}`));
        case 'go':
          return urls.map((url) => address(`${url}/${escapeGo(name)}/@v/${encodeURIComponent(fileName)}`));
        case 'cargo':
          return [address(filledTemplate(await crateAddress(registry), name, version))];
        case 'python':
          return (await pythonFiles(name)).filter((file) => file.fileName === fileName).map(({ url }) => address(url));
      }
    },
  };
}

/** The cargo book, "Index configuration": without a marker the usual end is added. */
function filledTemplate(template: string, crate: string, version: string): string {
  if (!template.includes('{')) return `${template}/${crate}/${encodeURIComponent(version)}/download`;
  const prefix = cratePrefix(crate);
  const values: Readonly<Record<string, string>> = {
    crate,
    version,
    prefix,
    lowerprefix: prefix.toLowerCase(),
  };
  return template.replace(/\{([a-z0-9-]+)\}/g, (_, key: string) => encodeURI(values[key] ?? ''));
}

function cratePrefix(crate: string): string {
  if (crate.length <= 2) return String(crate.length);
  return crate.length === 3 ? `3/${crate[0]}` : `${crate.slice(0, 2)}/${crate.slice(2, 4)}`;
}

function address(url: string): RegistryAddress {
  return { url, allowHttp: isHttp(url) };
}

function isHttp(url: string): boolean {
  return url.startsWith('http:');
}

function unknownRegistry(ecosystem: Ecosystem): BuilditError {
  const wanted: Readonly<Record<Ecosystem, string>> = {
    cargo: 'cargo, once it has fetched something, or source replacement in ~/.cargo/config.toml',
    go: 'GOPROXY or go',
    npm: 'NPM_CONFIG_REGISTRY, ~/.npmrc or npm',
    python: 'PIP_INDEX_URL, pip.conf or pip',
  };
  return new BuilditError(
    'configuration-invalid',
    `Cannot find a registry of ${ecosystem}: expected one from ${wanted[ecosystem]}, found none`,
    { hint: `registries: {${ecosystem}: URL} in ~/.config/buildit/config.yaml names one` },
  );
}
