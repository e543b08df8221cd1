import { findProgram } from '../../system/programs.ts';
import { advice, type Finding, fault, ok } from './finding.ts';
import type { HostView } from './host-view.ts';

const LEAST_NODE = [20, 19];
/** The first bubblewrap with --disable-userns. */
const LEAST_BUBBLEWRAP = [0, 8];

export function checkNode({ nodeVersion }: HostView): Finding {
  const found = nodeVersion.replace(/^v/, '');
  if (atLeast(found, LEAST_NODE)) return ok('node', found);
  return fault('node', `${found} is too old`, `install Node ${LEAST_NODE.join('.')} or later: https://nodejs.org/`);
}

/** Where the host has none, or one that is too old, buildit uses the one it pins and fetches itself. */
export async function checkBubblewrap(host: HostView): Promise<Finding> {
  const program = findProgram('bwrap', host.environment);
  if (program === undefined) return ok('bubblewrap', "not here; buildit uses Debian's, from its own store");
  const { status, output } = await host.run(program, ['--version']);
  const [, version] = /(?<!\d)(\d+\.\d+(?:\.\d+)?)/.exec(output) ?? [];
  // Not the program's fault; the sandbox that was tried says what is.
  if (status === undefined && /EPERM/.test(output)) return ok('bubblewrap', program);
  if (status !== 0 || version === undefined) {
    return fault('bubblewrap', `${program} does not run`, 'sudo apt install --reinstall bubblewrap');
  }
  if (atLeast(version, LEAST_BUBBLEWRAP)) return ok('bubblewrap', `${version} (${program})`);
  return fault(
    'bubblewrap',
    `${program} is ${version}; ${LEAST_BUBBLEWRAP.join('.')} or later is needed`,
    `upgrade it, or remove it: sudo apt remove bubblewrap; buildit then uses one from its own store`,
  );
}

function atLeast(version: string, least: readonly number[]): boolean {
  const parts = version.split('.').map(Number);
  for (const [index, wanted] of least.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

export function checkFlock({ environment }: HostView): Finding {
  const program = findProgram('flock', environment);
  return ok('locks', program ?? "no flock here; buildit uses Debian's, from its own store");
}

export function checkXz({ environment }: HostView): Finding {
  const program = findProgram('xz', environment);
  if (program !== undefined) return ok('xz', program);
  return advice('xz', 'not here; buildit unpacks with its own, a little slower', 'sudo apt install xz-utils');
}
