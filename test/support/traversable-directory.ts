import { chmodSync } from 'node:fs';
import { temporaryDirectory } from './temporary-directory.ts';

/** A fresh directory that other users may pass through, as the builds of root need it. */
export function traversableDirectory(): string {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  return directory;
}
