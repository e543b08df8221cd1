import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diagnoseSandbox, forbiddingSetting, sandboxUnavailable } from '../../src/build/sandbox-diagnosis.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A machine whose files are these. */
function machine(files: Readonly<Record<string, string>> = {}): string {
  const root = temporaryDirectory();
  for (const [path, content] of Object.entries({ '/proc/self/ns/user': '', ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const HOST_NAME = "bwrap: Can't set hostname to localhost: Operation not permitted";
const APPARMOR = { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' };

describe('why a sandbox does not start', () => {
  test.each<[string, Record<string, string>]>([
    [HOST_NAME, { '/run/.containerenv': '' }],
    ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted", { '/run/.containerenv': '' }],
    ['bwrap: cannot open /proc/sys/user/max_user_namespaces: Read-only file system', { '/.dockerenv': '' }],
    ['bwrap: No permissions to create new namespace', { '/proc/1/cgroup': '0::/kubepods/x' }],
    ['bwrap: setting up uid map: Permission denied', { '/.dockerenv': '', ...APPARMOR }],
  ])('in a container: %s', (said, files) => {
    const { text, remedy } = diagnoseSandbox(said, machine(files));
    expect(text).toContain(said);
    expect(remedy.join('\n')).toMatch(
      /podman run .*seccomp=unconfined.*unmask=ALL[\s\S]*docker run .*apparmor=unconfined.*systempaths=unconfined[\s\S]*security_opt = [\s\S]*procMount: Unmasked/,
    );
  });

  test('is a setting before anything else', () => {
    const none = machine({ '/.dockerenv': '', '/proc/sys/user/max_user_namespaces': '0\n' });
    expect(diagnoseSandbox('bwrap: No permissions', none).remedy[0]).toContain('user.max_user_namespaces=15000');
    const noNetwork = machine({ '/proc/sys/user/max_net_namespaces': '0', '/proc/sys/user/max_user_namespaces': '9' });
    expect(forbiddingSetting(noNetwork)?.text).toContain('user.max_net_namespaces allows none');
    expect(forbiddingSetting(machine())).toBeUndefined();
  });

  test('is AppArmor, a limit, a missing right, or in its own words', () => {
    expect(diagnoseSandbox('bwrap: loopback: Failed RTM_NEWADDR', machine(APPARMOR)).text).toContain('AppArmor');
    expect(diagnoseSandbox('bwrap: No space left on device', machine({ '/.dockerenv': '' })).text).toContain('in use');
    expect(diagnoseSandbox('Cannot start "/usr/bin/bwrap": spawn EPERM', machine()).remedy[0]).toContain('SETUID');
    expect(diagnoseSandbox('\nodd \u001b[31m', machine()).text).toContain('(odd \\u001b[31m)');
  });

  test('is in the error of a build as doctor gives it', () => {
    const error = sandboxUnavailable('a sandbox', HOST_NAME);
    const { text, remedy } = diagnoseSandbox(HOST_NAME);
    expect(error).toMatchObject({ code: 'sandbox-unavailable', details: [`user namespaces: ${text}`] });
    expect(error.hint?.split('\n')).toEqual(remedy);
  });
});
