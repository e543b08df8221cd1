import { join } from 'node:path';
import { composeRoot } from '../build/compose-root.ts';
import { bubblewrapInTree, commandInTree, hostBubblewrap } from '../build/sandbox-program.ts';
import { unpackFlock } from '../debian/unpack-tools.ts';
import { readRepositoryLock } from '../lock/lock-file.ts';
import { BuilditError } from '../model/errors.ts';
import type { DebianSet } from '../model/lock.ts';
import type { ConvertStep } from '../model/plan.ts';
import { hostPlatform } from '../system/host-platform.ts';
import { flockCommand, setFlockCommand } from '../system/lock.ts';
import type { BuildOptions } from './contract.ts';
import { debianMembers } from './debian-members.ts';
import type { Run } from './prepare-run.ts';
import { closureSteps, rootDebian } from './realise-run.ts';

/** Makes file locks work: with the host's `flock`, else with Debian's, pinned by the first repository that has it. */
export async function provideFlock({ config, context }: Pick<BuildOptions, 'config' | 'context'>): Promise<void> {
  if (flockCommand() !== undefined) return;
  const pins: DebianSet = Object.assign(
    {},
    ...(await Promise.all(config.recipes.map(async ({ path }) => (await readRepositoryLock(path))?.lock.roots ?? {}))),
  );
  const tree = await unpackFlock(join(config.store, 'tools'), pins, { config, context });
  setFlockCommand(commandInTree(tree, 'usr/bin/flock', hostPlatform()));
}

/** The host's bubblewrap where it can be used, else Debian's, pinned like any other package. */
export async function findBubblewrap(run: Run): Promise<readonly string[]> {
  const host = hostBubblewrap();
  if (host !== undefined) return host;
  const steps = bubblewrapSteps(run);
  if (steps.length === 0) throw noBubblewrap();
  const members = await debianMembers(run, steps);
  const root = await composeRoot(run.store, [...members.keys()], async (diffId) => members.get(diffId)!);
  return bubblewrapInTree(root.path, run.definitions.container.platform);
}

/** Debian's bubblewrap and its libraries, of the first repository that pins it; none where the host's can be used. */
export function bubblewrapSteps(run: Run): readonly ConvertStep[] {
  if (hostBubblewrap() !== undefined) return [];
  for (const repository of run.definitions.repositories) {
    const debian = rootDebian(run, repository);
    if (Object.hasOwn(debian, 'bubblewrap')) return closureSteps(['bubblewrap'], debian);
  }
  return [];
}

function noBubblewrap(): BuilditError {
  return new BuilditError(
    'sandbox-unavailable',
    "Cannot build in a sandbox: this machine has no bubblewrap ≥ 0.8.0, and no lock pins Debian's",
    { hint: 'install bubblewrap; buildit doctor tells what else is missing' },
  );
}
