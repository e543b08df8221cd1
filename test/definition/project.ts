import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readDefinitions } from '../../src/definition/read-definitions.ts';
import type { Definitions } from '../../src/model/container.ts';
import { BuilditError, BuilditErrors } from '../../src/model/errors.ts';
import type { ResolvedPackage } from '../../src/model/package.ts';
import type { Witness } from '../../src/system/witness.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

export type Files = Readonly<Record<string, string | Uint8Array>>;

export const DIGEST = '69ee2b23da3f0ba3bda3cd0dff5a8cbc5c1a0a2ab1ed01b4f5d1bd8fda3e0b88';

export const PATCH = '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n';

/** A container and a repository with an nginx of two versions, its libraries and a base; each test changes some of it. */
export const SOUND: Files = {
  'container.yaml': `---
- vars: {name: web, version: 1.0-p1, author: Sysadmin42}
- package: {type: embedded, path: ./pkgs/nginx}
- image: {type: oci}
`,
  'pkgs/nginx/pkg.yaml': 'base: www-servers/nginx-1.22.1\n',
  'recipes/repository.yaml': `name: main
debian: {suites: [bookworm], components: [main]}
root: {toolchain: [build-essential], minimal: [bash], runtime: [libc6], tools: [bubblewrap]}
`,
  'recipes/sys-apps/baselayout/pkg.yaml': `name: sys-apps/baselayout
version: 1
class: none
root: minimal
phases: {install: 'mkdir "$DESTDIR/etc"'}
`,
  'recipes/www-servers/nginx/pkg.yaml': `name: www-servers/nginx
license: BSD-2-Clause
versions:
  1.26.3: {sha256: ${DIGEST}}
  1.22.1: {sha256: ${DIGEST}}
source:
  - url: https://nginx.org/download/nginx-{{version}}.tar.gz
    mirrors: [{debian: nginx}]
class: autotools
flags:
  http2: {default: on, requires: [ssl], configure: [--with-http_v2_module]}
  ipv6: {default: on, when: "<1.11.5", configure: [--with-ipv6]}
  mail: {configure: {on: [--with-mail], off: [--without-mail]}}
  ssl: {default: on, configure: [--with-http_ssl_module], dependencies: {link: [dev-libs/openssl]}}
dependencies: {link: [debian/libcrypt1]}
environment: {LDFLAGS: "-Wl,-z,relro,-z,now"}
users: [{name: nginx, uid: 101}]
`,
  'recipes/dev-libs/openssl/pkg.yaml': `name: dev-libs/openssl
version: 3.0.15
source: {url: "https://openssl.org/openssl-{{version}}.tar.gz", sha256: ${DIGEST}}
class: make
`,
};

export function writeFiles(directory: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
}

/** A fresh directory with the sound files and the given ones over them. */
export function project(files: Files = {}): string {
  const directory = temporaryDirectory();
  writeFiles(directory, { ...SOUND, ...files });
  return directory;
}

export interface ReadProjectOptions {
  readonly use?: { readonly with: readonly string[]; readonly without: readonly string[] };
  readonly pinnedVersions?: Readonly<Record<string, string>>;
  readonly repositories?: readonly string[];
  readonly witness?: Witness;
}

export async function readProject(
  directory: string,
  {
    use = { with: [], without: [] },
    pinnedVersions = {},
    repositories = ['main:recipes'],
    witness,
  }: ReadProjectOptions = {},
): Promise<Definitions> {
  const recipes = repositories.map((entry) => {
    const [name, path] = entry.split(':') as [string, string];
    return { name, path: join(directory, path) };
  });
  const platform = { os: 'linux', architecture: 'amd64' } as const;
  return await readDefinitions(directory, {
    config: { recipes, use },
    pinnedVersions,
    platform,
    ...(witness && { witness }),
  });
}

export async function readFiles(files: Files, options: ReadProjectOptions = {}): Promise<Definitions> {
  return await readProject(project(files), options);
}

export function packageOf({ packages }: Definitions, name: string): ResolvedPackage {
  const found = packages.find((one) => one.name === name);
  if (found === undefined) throw new Error(`No ${name} among ${packages.map((one) => one.name).join(', ')}`);
  return found;
}

/** Everything that is wrong with a project: `code file:line:column message | hint`, paths from the project. */
export async function mistakesOf(directory: string, options: ReadProjectOptions = {}): Promise<readonly string[]> {
  try {
    await readProject(directory, options);
    return [];
  } catch (error) {
    return describeErrors(error, directory);
  }
}

export function describeErrors(error: unknown, directory: string): readonly string[] {
  if (error instanceof BuilditErrors) return error.errors.flatMap((one) => describeErrors(one, directory));
  if (!(error instanceof BuilditError)) throw error;
  const { code, message, hint, position } = error;
  const place = position === undefined ? '-' : `${position.file}:${position.line}:${position.column}`;
  return [`${code} ${place} ${message}${hint === undefined ? '' : ` | ${hint}`}`.replaceAll(`${directory}/`, '')];
}
