import { cpSync, existsSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Config, RunContext } from '../../src/model/config.ts';
import type { Place } from './place.ts';
import { runProgram } from './run-program.ts';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** The command that builds a container directory, as a user would give it. */
export function builditCommand(place: Place, directory: string): readonly string[] {
  return [process.execPath, join(REPOSITORY, 'bin', 'buildit.js'), '--store', place.store, directory];
}

/** Copies a container directory of the repository to the place and builds it there, unless that was done before. */
export function builtContainer(place: Place, source: string): string {
  const directory = place.path('containers', basename(source));
  if (!existsSync(join(directory, 'buildit.lock'))) {
    cpSync(join(REPOSITORY, source), directory, {
      recursive: true,
      filter: (path) => path !== join(REPOSITORY, source, 'out'),
    });
  }
  runProgram(builditCommand(place, directory));
  return directory;
}

/** Makes the next run of a container assemble its images again: without what it wrote, and without any receipt. */
export function forgetImages(place: Place, directory: string): void {
  rmSync(join(directory, 'out'), { recursive: true, force: true });
  rmSync(join(place.store, 'receipts'), { recursive: true, force: true });
}

/** The command of one of the small programs that call one stage of the compiled buildit in a process of its own. */
export function programCommand(name: string, ...args: readonly string[]): readonly string[] {
  return [process.execPath, join(REPOSITORY, 'bench', 'programs', `${name}.js`), ...args];
}

export async function benchConfig(place: Place): Promise<Config> {
  return loadConfig({ directory: REPOSITORY, flags: { store: place.store }, environment: process.env });
}

export function silentContext(): RunContext {
  return { signal: new AbortController().signal, emit: () => undefined };
}
