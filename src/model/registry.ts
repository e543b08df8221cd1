/** Registries that packages of programming languages come from. */
export const ECOSYSTEMS = ['cargo', 'go', 'npm', 'python'] as const;
export type Ecosystem = (typeof ECOSYSTEMS)[number];

/** One file of a registry. Its name and version were checked by `isArtefact`. */
export interface RegistryArtefact {
  readonly ecosystem: Ecosystem;
  /** As the registry has it: `@scope/name`, `serde`, `github.com/pkg/errors`, `flake8`. */
  readonly name: string;
  /** Of Go with its `v`: `v0.9.1`. */
  readonly version: string;
  /** `x-1.0.tgz`; of Python the name that the index lists, of Go `v1.0.0.zip` or `v1.0.0.mod`. */
  readonly fileName: string;
}

const NAMES: Readonly<Record<Ecosystem, RegExp>> = {
  cargo: /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
  go: /^[A-Za-z0-9][A-Za-z0-9.-]*\.[A-Za-z]+(?:\/[A-Za-z0-9_~][A-Za-z0-9._~-]*)*$/,
  npm: /^(?:@[A-Za-z0-9_~-][A-Za-z0-9._~-]*\/)?[A-Za-z0-9_~][A-Za-z0-9._~-]*$/,
  python: /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
};
const SEMVER = /^[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const VERSIONS: Readonly<Record<Ecosystem, RegExp>> = {
  cargo: SEMVER,
  go: new RegExp(`^v${SEMVER.source.slice(1)}`),
  npm: SEMVER,
  python: /^(?:[0-9]+!)?[0-9][0-9A-Za-z.+_-]*$/,
};
/** What Python's index lists: a source archive or a wheel. */
const PYTHON_FILE = /^[A-Za-z0-9][A-Za-z0-9._+!-]{0,199}\.(?:tar\.gz|zip|whl)$/;
const LONGEST = 214;

export function isArtefactName(ecosystem: Ecosystem, name: string): boolean {
  return name.length <= LONGEST && NAMES[ecosystem].test(name) && !name.includes('..');
}

export function isArtefactVersion(ecosystem: Ecosystem, version: string): boolean {
  return version.length <= 128 && VERSIONS[ecosystem].test(version) && !version.includes('..');
}

/** The artefact, or undefined where a part of it is not what its registry could have. */
export function acceptArtefact(artefact: RegistryArtefact): RegistryArtefact | undefined {
  const { ecosystem, name, version, fileName } = artefact;
  if (!isArtefactName(ecosystem, name) || !isArtefactVersion(ecosystem, version)) return undefined;
  if (ecosystem === 'python') return PYTHON_FILE.test(fileName) && !fileName.includes('..') ? artefact : undefined;
  return fileNamesOf(ecosystem, name, version).includes(fileName) ? artefact : undefined;
}

/** The file that stands for a version of a package; of Go the module's zip. Python's depends on its index. */
export function archiveName(ecosystem: Exclude<Ecosystem, 'python'>, name: string, version: string): string {
  return fileNamesOf(ecosystem, name, version)[0]!;
}

/** A Go module is a zip and, for those that only decide about versions, its go.mod alone. */
export function goModName(version: string): string {
  return `${escapeGo(version)}.mod`;
}

function fileNamesOf(ecosystem: Ecosystem, name: string, version: string): readonly string[] {
  switch (ecosystem) {
    case 'cargo':
      return [`${name}-${version}.crate`];
    case 'npm':
      return [`${name.split('/').at(-1)}-${version}.tgz`];
    case 'go':
      return [`${escapeGo(version)}.zip`, goModName(version)];
    case 'python':
      return [];
  }
}

/** Go writes a capital as `!` and its small letter in paths and addresses, for file systems that know no difference. */
export function escapeGo(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
}

/** Below the source tree, where the files of lock files lie: the layout that each language's own tool reads. */
export const VENDOR_DIRECTORY = 'buildit-vendor';

/** The directory of an artefact below the source tree. */
export function vendorDirectory({ ecosystem, name }: RegistryArtefact): string {
  const base = `${VENDOR_DIRECTORY}/${ecosystem}`;
  if (ecosystem === 'go') return `${base}/${escapeGo(name)}/@v`;
  const scope = ecosystem === 'npm' && name.includes('/') ? `/${name.split('/')[0]}` : '';
  return base + scope;
}

const TYPES: Readonly<Record<Ecosystem, string>> = { cargo: 'cargo', go: 'golang', npm: 'npm', python: 'pypi' };
const GO_MOD = '#go.mod';

/** `pkg:npm/%40scope/name@1.0.0`, `pkg:golang/github.com/pkg/errors@v0.9.1#go.mod`: a package URL. */
export function artefactPurl({ ecosystem, name, version, fileName }: RegistryArtefact): string {
  const path = name.split('/').map(encodeURIComponent).join('/');
  const end = ecosystem === 'go' && fileName.endsWith('.mod') ? GO_MOD : '';
  return `pkg:${TYPES[ecosystem]}/${path}@${encodeURIComponent(version)}${end}`;
}

/** The artefact of a package URL as `artefactPurl` writes them; Python's needs the name of its file besides. */
export function parseArtefactPurl(purl: string, file?: string): RegistryArtefact | undefined {
  const [, type, path, versionText, end] = /^pkg:([a-z]+)\/([^@#]+)@([^@#]+)(#go\.mod)?$/.exec(purl) ?? [];
  const ecosystem = ECOSYSTEMS.find((known) => TYPES[known] === type);
  if (ecosystem === undefined || (file !== undefined) !== (ecosystem === 'python')) return undefined;
  const [name, version] = [decoded(path!), decoded(versionText!)];
  if (name === undefined || version === undefined) return undefined;
  const fileName =
    ecosystem === 'python' ? file! : end === GO_MOD ? goModName(version) : archiveName(ecosystem, name, version);
  const artefact = acceptArtefact({ ecosystem, name, version, fileName });
  return artefact !== undefined && artefactPurl(artefact) === purl ? artefact : undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
