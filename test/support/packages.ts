import type { ContainerDefinition, Definitions, RepositoryDefinition } from '../../src/model/container.ts';
import { sha256 } from '../../src/model/digest.ts';
import {
  type ContainerLock,
  type DebianPin,
  type DebianSet,
  LOCK_FORMAT,
  type RepositoryLock,
} from '../../src/model/lock.ts';
import type { Atom, ResolvedPackage } from '../../src/model/package.ts';

/** A package with nothing in it but what a test names. Names are `category/name`, dependencies too. */
export function packageNamed(
  name: string,
  {
    link = [],
    build = [],
    run = [],
    ...rest
  }: { link?: string[]; build?: string[]; run?: string[] } & Partial<ResolvedPackage> = {},
): ResolvedPackage {
  return {
    name,
    version: '1.0',
    origin: { kind: 'repository', repository: 'main', directory: `/recipes/${name}` },
    author: undefined,
    description: undefined,
    homepage: undefined,
    license: undefined,
    repository: 'main',
    root: 'toolchain',
    sources: [],
    patches: [],
    files: [],
    class: 'none',
    flags: {},
    phases: { install: 'true' },
    environment: {},
    dependencies: { build: build.map(atom), link: link.map(atom), run: run.map(atom), test: [] },
    replaces: [],
    users: [],
    tests: [],
    notices: [],
    ...rest,
  };
}

export function atom(text: string): Atom {
  const [category, name] = text.split('/');
  return { category: category!, name: name! };
}

export function pinNamed(
  name: string,
  version = '1',
  depends: string[] = [],
  more: Partial<DebianPin> = {},
): DebianPin {
  return {
    name,
    version,
    architecture: 'amd64',
    suite: 'bookworm',
    archive: 'debian',
    date: '2026-01-01T00:00:00Z',
    path: `pool/main/${name[0]}/${name}/${name}_${version}_amd64.deb`,
    size: 1000,
    sha256: sha256(`${name} ${version}`),
    depends,
    source: { name, version },
    ...more,
  };
}

export function setOf(...pins: DebianPin[]): DebianSet {
  return Object.fromEntries(pins.map((pin) => [pin.name, pin]));
}

export const mainRepository: RepositoryDefinition = {
  name: 'main',
  directory: '/recipes',
  debian: {
    suites: ['bookworm'],
    imageSuites: ['bookworm'],
    components: ['main'],
    toolchain: ['gcc'],
    minimal: ['bash'],
    runtime: ['libc6'],
    tools: [],
  },
  use: { with: [], without: [] },
};

export const mainRoots = setOf(
  pinNamed('libc6'),
  pinNamed('bash', '5.2', ['libc6'], { essential: true }),
  pinNamed('gcc', '12', ['libc6', 'binutils']),
  pinNamed('binutils', '2.40', ['libc6']),
  pinNamed('zlib1g', '1.2.13', ['libc6']),
  pinNamed('pkgconf', '1.8', ['libc6']),
);

export function definitionsOf(packages: ResolvedPackage[], requested = [packages.at(-1)!.name]): Definitions {
  const container: ContainerDefinition = {
    directory: '/container',
    author: undefined,
    name: 'box',
    version: '1',
    platform: { os: 'linux', architecture: 'amd64' },
    variables: {},
    base: false,
    packages: [],
    steps: [],
    images: [],
  };
  return { container, repositories: [mainRepository], packages, requested, debianRequested: [] };
}

export function repositoryLock(roots: DebianSet = mainRoots): RepositoryLock {
  return { format: LOCK_FORMAT, kind: 'repository', wanted: [], roots };
}

export const emptyContainerLock: ContainerLock = {
  format: LOCK_FORMAT,
  kind: 'container',
  repositories: {},
  wanted: [],
  debian: {},
  additions: {},
  overrides: {},
  patches: {},
  versions: {},
  layers: [],
};
