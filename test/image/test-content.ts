import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SelectedMember } from '../../src/image/image-member.ts';
import { type ImageContent, prepareContent } from '../../src/image/prepare-content.ts';
import { keepLayer } from '../../src/layer/keep-layer.ts';
import { directoryMember, fileMember, symlinkMember, type TarMember } from '../../src/layer/tar-member.ts';
import type { ContainerDefinition, FileStep, ImageDefinition } from '../../src/model/container.ts';
import { sha256 } from '../../src/model/digest.ts';
import type { PackageUser } from '../../src/model/package.ts';
import type { SourcePosition } from '../../src/model/source-position.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

export const position: SourcePosition = { file: 'container.yaml', line: 7, column: 3 };
export const root = { user: '0', group: '0' };
/** 2024-02-03T04:05:06Z, the newest source date of the packages below. */
export const NEWEST = 1706933106;

export interface TestPackage {
  readonly name: string;
  readonly members: readonly TarMember[];
  readonly version?: string;
  readonly license?: string;
  readonly users?: readonly PackageUser[];
  readonly sourceDate?: number;
}

/** Links, tables and directories such as sys-apps/baselayout has. */
export const baselayout: TestPackage = {
  name: 'sys-apps/baselayout',
  license: 'GPL-2.0-or-later',
  members: [
    symlinkMember('bin', 'usr/bin'),
    directoryMember('etc'),
    fileMember('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
    fileMember('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n'),
    directoryMember('root', { mode: 0o700 }),
    directoryMember('run'),
    symlinkMember('sbin', 'usr/sbin'),
    directoryMember('tmp', { mode: 0o1777 }),
    directoryMember('usr/bin'),
    directoryMember('usr/sbin'),
    directoryMember('var'),
    symlinkMember('var/run', '/run'),
  ],
};

export const nginx: TestPackage = {
  name: 'www-servers/nginx',
  license: 'BSD-2-Clause',
  users: [{ name: 'nginx', uid: 101, gid: 101, home: '/var/cache/nginx', shell: '/usr/sbin/nologin' }],
  sourceDate: NEWEST,
  members: [
    fileMember('etc/nginx/nginx.conf', 'listen 80;\n'),
    directoryMember('tmp', { mode: 0o755 }),
    fileMember('usr/sbin/nginx', Buffer.alloc(5000, 'nginx'), { mode: 0o755 }),
    { ...fileMember('usr/sbin/nginx-debug', ''), type: 'hardlink', target: 'usr/sbin/nginx', mode: 0o755 },
    directoryMember('var/cache/nginx', { mode: 0o700, uid: 101, gid: 101 }),
    fileMember(
      'usr/share/nginx/ünïcode and a very long name that does not fit into a hundred bytes of ustar, really not.html',
      'x',
    ),
  ],
};

export async function keepPackage(store: Store, test: TestPackage): Promise<SelectedMember> {
  const { name, version = '1.0', license, users = [], sourceDate = 1600000000 } = test;
  const layer = await keepLayer(store, stream(test.members), {
    mtime: { kind: 'fixed', seconds: sourceDate },
    owner: 'archive',
    mapPath: (path) => path,
  });
  return { name, version, kind: 'build', hash: sha256(name), layer, sourceDate, license, users };
}

async function* stream(members: readonly TarMember[]): AsyncGenerator<TarMember> {
  yield* members;
}

export interface TestContainer {
  readonly store: Store;
  readonly directory: string;
  readonly content: ImageContent;
}

/** A store and a container directory of their own, with these packages and steps in an image. */
export async function testContainer(
  packages: readonly TestPackage[],
  steps: (directory: string) => readonly FileStep[] = () => [],
  options: { readonly store?: Store; readonly images?: readonly ImageDefinition[]; readonly base?: false } = {},
): Promise<TestContainer> {
  const store = options.store ?? (await openStore(join(temporaryDirectory(), 'store')));
  const directory = join(temporaryDirectory(), 'container');
  mkdirSync(directory);
  const container = {
    ...containerDefinition(directory, steps(directory), options.images),
    ...(options.base === false ? { base: false as const } : {}),
  };
  const selected = [];
  for (const test of packages) selected.push(await keepPackage(store, test));
  const content = await prepareContent(store, {
    container,
    selected,
    render: (text) => text.replaceAll('{{ name }}', container.name),
  });
  return { store, directory, content };
}

export function containerDefinition(
  directory: string,
  steps: readonly FileStep[],
  images: readonly ImageDefinition[] = [],
): ContainerDefinition {
  return {
    directory,
    author: 'Sysadmin42',
    name: 'nginx-production',
    version: '1.7.6-p1',
    platform: { os: 'linux', architecture: 'amd64' },
    variables: {},
    base: 'sys-apps/baselayout',
    packages: [],
    steps,
    images,
  };
}

export function ociDefinition(
  changes: Partial<ImageDefinition & { kind: 'oci' }> = {},
): ImageDefinition & { kind: 'oci' } {
  return {
    kind: 'oci',
    config: { entrypoint: ['/sbin/nginx'], user: 'nginx', ports: ['80'] },
    compression: 'gzip',
    layerBudget: 100,
    tags: [],
    annotations: {},
    position,
    ...changes,
  };
}

export function aciDefinition(manifest: object | string): ImageDefinition & { kind: 'aci' } {
  return { kind: 'aci', manifest: typeof manifest === 'string' ? manifest : JSON.stringify(manifest), position };
}
