import { loadConfig } from '../../src/config/load-config.ts';
import type { BuilditEvent } from '../../src/model/events.ts';
import { createWitness } from '../../src/system/witness.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** What the pipeline is given for a user with a fresh home and a fresh store, and what it told meanwhile. */
export async function runOptions(cwd: string, environment: Record<string, string> = {}) {
  const home = temporaryDirectory();
  const all = { PATH: process.env.PATH!, HOME: home, BUILDIT_STORE: `${home}/store`, ...environment };
  const config = await loadConfig({ directory: cwd, flags: {}, environment: all });
  const events: BuilditEvent[] = [];
  const context = { signal: new AbortController().signal, emit: (event: BuilditEvent) => void events.push(event) };
  return { ...{ cwd, config, context, environment: all, witness: createWitness() }, events };
}
