import { diagnoseSandbox, forbiddingSetting, type SandboxDiagnosis } from '../../build/sandbox-diagnosis.ts';
import { hostBubblewrap } from '../../build/sandbox-program.ts';
import type { TriedSandbox } from '../../build/try-sandbox.ts';
import { findProgram } from '../../system/programs.ts';
import { type Finding, fault, ok } from './finding.ts';
import type { HostView } from './host-view.ts';

const CHECK = 'user namespaces';

/** What a sandbox needs of the kernel, as far as unshare(1) can ask for it, where there is no bubblewrap to try. */
const UNSHARE = ['-Ur', '--mount', '--net', '--pid', '--uts', '--ipc', '--cgroup', '--mount-proc', '--fork'];

/**
 * Whether an ordinary process may make the namespaces of a sandbox: settings that forbid it are named with the command
 * that changes them; where none does, the sandboxes of a build and a test are tried and their failure explained.
 */
export async function checkUserNamespaces(host: HostView): Promise<Finding> {
  const forbidden = forbiddingSetting(host.root);
  if (forbidden !== undefined) return finding(forbidden);
  const tried = await tryOne(host);
  if (tried === undefined) return ok(CHECK, 'nothing forbids them (not tried: no bubblewrap and no unshare here)');
  return tried.isStarted ? ok(CHECK, 'work') : finding(diagnoseSandbox(tried.output, host.root));
}

function finding({ text, remedy }: SandboxDiagnosis): Finding {
  return fault(CHECK, text, ...remedy);
}

async function tryOne(host: HostView): Promise<TriedSandbox | undefined> {
  const bubblewrap = hostBubblewrap((name) => findProgram(name, host.environment));
  if (bubblewrap !== undefined) return host.trySandbox(bubblewrap);
  const unshare = findProgram('unshare', host.environment);
  if (unshare === undefined) return undefined;
  // Filters of container engines forbid this one call alone.
  const hostname = findProgram('hostname', host.environment);
  const command = hostname === undefined ? ['true'] : [hostname, 'localhost'];
  const { status, output } = await host.run(unshare, [...UNSHARE, ...command]);
  return { isStarted: status === 0, output };
}
