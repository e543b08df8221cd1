import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

interface InstalledPath {
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * The files of buildit itself that decide what a run does: in a clone they change without a change of version. The
 * libraries are covered by the lock file that npm keeps of what it installed, and by the dependencies of package.json.
 */
export async function installedFiles(installation: string): Promise<readonly InstalledPath[]> {
  const single = ['package.json', 'bin/buildit.js', 'node_modules/.package-lock.json'].map((path) => ({
    path: join(installation, path),
    isDirectory: false,
  }));
  const trees = await Promise.all(['dist', 'schemas', 'keys'].map((name) => filesBelow(join(installation, name))));
  return [...single, ...trees.flat()];
}

async function filesBelow(directory: string): Promise<InstalledPath[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const below = await Promise.all(
    entries.map((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [{ path, isDirectory: false }];
    }),
  );
  return [{ path: directory, isDirectory: true }, ...below.flat()];
}
