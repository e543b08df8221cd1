import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** Why this machine runs no sandbox, and commands and sentences that change it, one a line. */
export interface SandboxDiagnosis {
  readonly text: string;
  readonly remedy: readonly string[];
}

const LONGEST_QUOTE = 200;

/** Settings of the kernel that forbid user namespaces to everybody. `root` is a prefix of /proc, for tests. */
export function forbiddingSetting(root = ''): SandboxDiagnosis | undefined {
  if (!existsSync(`${root}/proc/self/ns/user`)) {
    return { text: 'this kernel has none', remedy: ['use a kernel that is built with CONFIG_USER_NS=y'] };
  }
  if (textOf(root, '/proc/sys/kernel/unprivileged_userns_clone') === '0') {
    return {
      text: 'the sysctl kernel.unprivileged_userns_clone forbids them',
      remedy: sysctlRemedy('kernel.unprivileged_userns_clone', '1'),
    };
  }
  const none = namespaceLimits(root).find((name) => textOf(root, `/proc/sys/user/${name}`) === '0');
  if (none === undefined) return undefined;
  return { text: `the sysctl user.${none} allows none`, remedy: sysctlRemedy(`user.${none}`, '15000') };
}

/** The kinds of namespace that a sandbox has, each with a limit. */
function namespaceLimits(root: string): readonly string[] {
  const known = ['user', 'mnt', 'pid', 'net', 'ipc', 'uts', 'cgroup'].map((kind) => `max_${kind}_namespaces`);
  try {
    const there = readdirSync(`${root}/proc/sys/user`);
    return known.filter((name) => there.includes(name));
  } catch {
    return [];
  }
}

/**
 * Explains what bubblewrap said when it could not start a sandbox: by the settings of this machine where one is to blame,
 * else by the container around it, else by its words.
 */
export function diagnoseSandbox(output: string, root = ''): SandboxDiagnosis {
  const line = output.split('\n').find((text) => text.trim() !== '') ?? '';
  const said = printable(line.trim()).slice(0, LONGEST_QUOTE);
  const setting = forbiddingSetting(root);
  if (setting !== undefined) return setting;
  if (/spawn [^\n]{0,300}EPERM/.test(said)) {
    return {
      text: 'root may not run programs as another user here, and builds that root starts need that',
      remedy: ['in a container: --cap-add SETUID --cap-add SETGID', 'or run buildit as an ordinary user'],
    };
  }
  if (/no space left|ENOSPC|namespaces exceeded/i.test(said)) {
    return {
      text: `as many as the limit allows are in use (${said})`,
      remedy: sysctlRemedy('user.max_user_namespaces', '15000'),
    };
  }
  if (isInContainer(root)) return inContainer(said);
  if (textOf(root, '/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      text: `AppArmor forbids them (${said})`,
      remedy: [
        ...sysctlRemedy('kernel.apparmor_restrict_unprivileged_userns', '0'),
        'or give bubblewrap a profile: sudo apt install apparmor-profiles && ' +
          'sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && ' +
          'sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict',
      ],
    };
  }
  return {
    text: `a sandbox cannot be started (${said})`,
    remedy: [
      'look for the reason in `dmesg` and `journalctl -k`: a security module or a seccomp filter denied it, or this is a chroot',
    ],
  };
}

function sysctlRemedy(name: string, value: string): string[] {
  return [
    `sudo sysctl -w ${name}=${value}`,
    `to keep it: echo '${name}=${value}' | sudo tee /etc/sysctl.d/60-buildit.conf`,
  ];
}

function isInContainer(root: string): boolean {
  return (
    existsSync(`${root}/.dockerenv`) ||
    existsSync(`${root}/run/.containerenv`) ||
    existsSync(`${root}/var/run/secrets/kubernetes.io`) ||
    /(^|\0)container=/.test(textOf(root, '/proc/1/environ') ?? '') ||
    /\/(docker|kubepods|libpod|lxc)/.test(textOf(root, '/proc/1/cgroup') ?? '')
  );
}

/**
 * Engines forbid a sandbox by a seccomp filter (no namespaces in docker, no host name in podman), by AppArmor, and by files
 * laid over /proc and mounted read-only, which keep a new /proc and `--disable-userns` away.
 */
function inContainer(said: string): SandboxDiagnosis {
  return {
    text: `the container around buildit forbids them (${said})`,
    remedy: [
      'podman run --security-opt seccomp=unconfined --security-opt unmask=ALL …',
      'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined ' +
        '--security-opt systempaths=unconfined …',
      'GitLab runner, [runners.docker] of config.toml: ' +
        'security_opt = ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"]',
      'Kubernetes: hostUsers: false, and securityContext: { seccompProfile: { type: Unconfined }, ' +
        'appArmorProfile: { type: Unconfined }, procMount: Unmasked }',
    ],
  };
}

/** The error of a run whose sandbox did not start: what bubblewrap said, and the diagnosis that `buildit doctor` gives. */
export function sandboxUnavailable(what: string, said: string, cause?: unknown): BuilditError {
  const { text, remedy } = diagnoseSandbox(said);
  return new BuilditError('sandbox-unavailable', `Cannot run ${what}: ${printable(said.trim()).slice(0, 1000)}`, {
    details: [`user namespaces: ${text}`],
    hint: remedy.join('\n'),
    cause,
  });
}

function textOf(root: string, path: string): string | undefined {
  try {
    return readFileSync(`${root}${path}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}
