import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** What `npm pack` takes along; `files` of package.json. */
const PACKAGE_PARTS = ['bin', 'classes', 'dist', 'schemas', 'repos', 'keys', 'package.json'];

/** Puts a copy of the package and the libraries it needs where nothing of the clone is near, as npm would. */
export function installBuildit(target: string): string {
  mkdirSync(target, { recursive: true });
  for (const name of [...PACKAGE_PARTS, ...runtimeLibraries()]) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    cpSync(join(repository, name), join(target, name), { recursive: true, preserveTimestamps: true });
  }
  return target;
}

interface LockedLibrary {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
}

/** Paths of the libraries that are installed with buildit, without those that only its development needs. */
function runtimeLibraries(): string[] {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedLibrary>>;
  };
  return Object.entries(lock.packages)
    .filter(([path, library]) => path !== '' && !library.dev && !library.devOptional && !library.optional)
    .map(([path]) => path);
}
