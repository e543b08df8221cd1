import { existsSync } from 'node:fs';
import { printable } from '../../model/names.ts';
import { findProgram } from '../../system/programs.ts';
import { type Finding, fault, ok } from './finding.ts';
import { type HostView, hostText, type TriedProgram } from './host-view.ts';

const CHECK = 'user namespaces';

/** What a sandbox needs of the kernel, in small; only trying tells, for there are many ways to forbid it. */
const PROBE = ['--unshare-all', '--unshare-user', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', 'true'];

/**
 * Whether an ordinary process may make the namespaces of a sandbox: settings that forbid it are named with the command
 * that changes them; where none does, a sandbox is tried and its failure explained.
 */
export async function checkUserNamespaces(host: HostView): Promise<Finding> {
  const forbidden = forbiddenBySetting(host);
  if (forbidden !== undefined) return forbidden;
  const tried = await trySandbox(host);
  if (tried === undefined) return ok(CHECK, 'nothing forbids them (not tried: no bubblewrap and no unshare here)');
  return tried.status === 0 ? ok(CHECK, 'work') : explainFailure(host, tried);
}

function forbiddenBySetting(host: HostView): Finding | undefined {
  if (!existsSync(`${host.root}/proc/self/ns/user`)) {
    return fault(CHECK, 'this kernel has none', 'use a kernel that is built with CONFIG_USER_NS=y');
  }
  if (hostText(host, '/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return fault(
      CHECK,
      'the sysctl kernel.unprivileged_userns_clone forbids them',
      ...sysctlRemedy('kernel.unprivileged_userns_clone', '1'),
    );
  }
  if (hostText(host, '/proc/sys/user/max_user_namespaces') === '0') {
    return fault(
      CHECK,
      'the sysctl user.max_user_namespaces allows none',
      ...sysctlRemedy('user.max_user_namespaces', '15000'),
    );
  }
  return undefined;
}

function sysctlRemedy(name: string, value: string): string[] {
  return [
    `sudo sysctl -w ${name}=${value}`,
    `to keep it: echo '${name}=${value}' | sudo tee /etc/sysctl.d/60-buildit.conf`,
  ];
}

async function trySandbox(host: HostView): Promise<TriedProgram | undefined> {
  const bubblewrap = findProgram('bwrap', host.environment);
  if (bubblewrap !== undefined) return host.run(bubblewrap, PROBE);
  const unshare = findProgram('unshare', host.environment);
  return unshare === undefined ? undefined : host.run(unshare, ['-Ur', '--mount', '--net', '--pid', '--fork', 'true']);
}

function explainFailure(host: HostView, { output }: TriedProgram): Finding {
  const said = printable(output.split('\n')[0] ?? '').slice(0, 200);
  if (hostText(host, '/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return fault(
      CHECK,
      `AppArmor forbids them (${said})`,
      ...sysctlRemedy('kernel.apparmor_restrict_unprivileged_userns', '0'),
      'or give bubblewrap a profile: sudo apt install apparmor-profiles && ' +
        'sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && ' +
        'sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict',
    );
  }
  if (insideContainer(host)) return explainContainer(said);
  if (/no space left|ENOSPC/i.test(said)) {
    return fault(
      CHECK,
      `as many as the limit allows are in use (${said})`,
      ...sysctlRemedy('user.max_user_namespaces', '15000'),
    );
  }
  return fault(
    CHECK,
    `a sandbox cannot be started (${said})`,
    'look for the reason in `dmesg` and `journalctl -k`: a security module or a seccomp filter denied it',
  );
}

function insideContainer(host: HostView): boolean {
  return (
    existsSync(`${host.root}/.dockerenv`) ||
    existsSync(`${host.root}/run/.containerenv`) ||
    /(^|\0)container=/.test(hostText(host, '/proc/1/environ') ?? '') ||
    /\/(docker|kubepods|libpod|lxc)/.test(hostText(host, '/proc/1/cgroup') ?? '')
  );
}

/** Engines forbid it by a seccomp filter, by AppArmor, and by files laid over /proc, which keep a new /proc away. */
function explainContainer(said: string): Finding {
  return fault(
    CHECK,
    `the container around buildit forbids them (${said})`,
    'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined ' +
      '--security-opt systempaths=unconfined …',
    'podman run --security-opt seccomp=unconfined --security-opt unmask=ALL …',
  );
}
