import { readdirSync } from 'node:fs';
import { join } from 'node:path';

interface InstalledPath {
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * The files of buildit itself that decide what a run does: in a clone they change without a change of version. The
 * libraries are covered by the lock file that npm keeps of what it installed, and by the dependencies of package.json.
 */
export function installedFiles(installation: string): readonly InstalledPath[] {
  const single = ['package.json', 'bin/buildit.js', 'node_modules/.package-lock.json'].map((path) => ({
    path: join(installation, path),
    isDirectory: false,
  }));
  const trees = ['dist', 'schemas', 'keys', 'classes'].flatMap((name) => filesBelow(join(installation, name)));
  return [...single, ...trees];
}

/** Synchronous calls: every run waits for this, and awaited ones take several times as long. */
function filesBelow(directory: string): InstalledPath[] {
  const below = readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [{ path, isDirectory: false }];
  });
  return [{ path: directory, isDirectory: true }, ...below];
}
