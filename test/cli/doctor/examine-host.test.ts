import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRealRoot } from '../../../src/build/build-owner.ts';
import { mountOf } from '../../../src/cli/doctor/check-store.ts';
import { examineHost } from '../../../src/cli/doctor/examine-host.ts';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { type HostView, runAsBuild, tryHardLink, trySandboxAsBuild } from '../../../src/cli/doctor/host-view.ts';
import { requires } from '../../support/requires.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A machine in a directory of its own: files below /proc and /etc, programs that answer as written, a place for the store. */
function fakeHost(files: Record<string, string> = {}, overrides: Partial<HostView> = {}): HostView {
  const root = temporaryDirectory();
  chmodSync(root, 0o755);
  const all: Record<string, string> = {
    '/proc/self/ns/user': '',
    '/etc/apt/sources.list': 'deb https://mirror.example/debian bookworm main',
    '/bin/bwrap': '#!/bin/sh\ncase $1 in --version) echo bubblewrap 0.8.0 ;; esac',
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content, { mode: path.startsWith('/bin/') ? 0o755 : 0o644 });
  }
  mkdirSync(join(root, 'store'));
  return {
    root,
    environment: { PATH: join(root, 'bin') },
    store: join(root, 'store'),
    debianMirror: undefined,
    nodeVersion: 'v20.20.2',
    nowMs: Date.UTC(2027, 0, 1),
    isRoot: false,
    run: runAsBuild(false),
    trySandbox: trySandboxAsBuild(false),
    tryHardLink,
    ...overrides,
  };
}

const refusingBubblewrap = (said: string) => ({
  '/bin/bwrap': `#!/bin/sh\ncase $1 in --version) echo bubblewrap 0.8.0 ;; *) echo "${said}" >&2; exit 1 ;; esac`,
});

async function faultsOf(host: HostView): Promise<readonly Finding[]> {
  return (await examineHost(host)).filter(({ state }) => state === 'fault');
}

test('a healthy machine has no fault', async () => {
  expect(await faultsOf(fakeHost())).toEqual([]);
});

describe('each fault is named with its remedy', () => {
  test.each<[string, string, string, Record<string, string>]>([
    [
      'a sysctl of Debian and Arch forbids user namespaces',
      'user namespaces',
      'sudo sysctl -w kernel.unprivileged_userns_clone=1',
      { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' },
    ],
    [
      'a sysctl allows no user namespace',
      'user namespaces',
      'sudo sysctl -w user.max_user_namespaces=15000',
      { '/proc/sys/user/max_user_namespaces': '0\n' },
    ],
    [
      'AppArmor restricts user namespaces',
      'user namespaces',
      'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
      {
        '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n',
        ...refusingBubblewrap('bwrap: setting up uid map: Permission denied'),
      },
    ],
    [
      'the container around forbids user namespaces',
      'user namespaces',
      'docker run --security-opt seccomp=unconfined',
      { '/.dockerenv': '', ...refusingBubblewrap('bwrap: No permissions to create new namespace') },
    ],
    [
      'the container around lays files over /proc',
      'user namespaces',
      'podman run --security-opt seccomp=unconfined --security-opt unmask=ALL',
      { '/run/.containerenv': '', ...refusingBubblewrap("bwrap: Can't mount proc on /newroot/proc: EPERM") },
    ],
    [
      'all namespaces are in use',
      'user namespaces',
      'sudo sysctl -w user.max_user_namespaces=15000',
      refusingBubblewrap('bwrap: Creating new namespace failed: No space left on device'),
    ],
    [
      'something unknown keeps a sandbox from starting',
      'user namespaces',
      'journalctl -k',
      refusingBubblewrap('bwrap: prctl(PR_SET_SECCOMP) EINVAL'),
    ],
    [
      'bubblewrap is too old',
      'bubblewrap',
      'sudo apt remove bubblewrap',
      { '/bin/bwrap': '#!/bin/sh\necho bubblewrap 0.6.1' },
    ],
    [
      'bubblewrap does not run',
      'bubblewrap',
      'sudo apt install --reinstall bubblewrap',
      { '/bin/bwrap': '#!/bin/sh\ncase $1 in --version) exit 127 ;; esac' },
    ],
  ])('%s', async (_, check, remedy, files) => {
    const faults = await faultsOf(fakeHost(files));
    expect(faults.map((finding) => finding.check)).toEqual([check]);
    expect(faults[0]!.remedy.join('\n')).toContain(remedy);
  });

  test.each<[string, string, string, Partial<HostView>]>([
    ['node is too old', 'node', 'install Node 20.19', { nodeVersion: 'v20.18.3' }],
    ['node is much too old', 'node', 'install Node 20.19', { nodeVersion: 'v18.20.0' }],
    ['the clock is years behind', 'clock', 'timedatectl set-ntp true', { nowMs: Date.UTC(1970, 0, 1) }],
    ['the clock is far ahead', 'clock', 'timedatectl set-ntp true', { nowMs: Date.UTC(2106, 0, 1) }],
    [
      'the file system has no hard links',
      'hard links',
      '--store DIR',
      {
        tryHardLink: () => {
          throw new Error('EPERM: operation not permitted, link');
        },
      },
    ],
  ])('%s', async (_, check, remedy, overrides) => {
    const faults = await faultsOf(fakeHost({}, overrides));
    expect(faults.map((finding) => finding.check)).toEqual([check]);
    expect(faults[0]!.remedy.join('\n')).toContain(remedy);
  });

  test('the kernel has no user namespaces', async () => {
    const host = fakeHost();
    const [finding] = await faultsOf({ ...host, root: join(host.root, 'store') });
    expect(finding).toMatchObject({ check: 'user namespaces', text: 'this kernel has none' });
  });

  test('a proxy variable is no URL', async () => {
    const host = fakeHost();
    const faults = await faultsOf({ ...host, environment: { ...host.environment, https_proxy: 'proxy:3128:x' } });
    expect(faults.map(({ check }) => check)).toEqual(['proxy']);
  });

  test('the store lies on a disk that is mounted noexec', async () => {
    const host = fakeHost();
    writeFileSync(
      join(host.root, 'proc/self/mountinfo'),
      [
        '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
        `40 22 254:1 / ${host.store} rw,nosuid,noexec - ext4 /dev/vdb rw`,
      ].join('\n'),
    );
    const [finding] = await faultsOf(host);
    expect(finding).toMatchObject({
      check: 'mount',
      remedy: [`sudo mount -o remount,exec ${host.store}`, expect.anything()],
    });
  });

  test('the place of the store is a file', async () => {
    const host = fakeHost();
    writeFileSync(join(host.root, 'file'), '');
    expect(await faultsOf({ ...host, store: join(host.root, 'file') })).toMatchObject([{ check: 'store' }]);
  });

  test('builds started by root could not reach the store', async () => {
    const host = fakeHost();
    chmodSync(host.store, 0o700);
    const [finding] = await faultsOf({ ...host, isRoot: true });
    expect(finding).toMatchObject({ check: 'store for root' });
    expect(finding!.remedy[0]).toBe(`chmod o+x ${host.store}`);
  });

  requires('ordinary user').test('the store cannot be written', async () => {
    const host = fakeHost();
    chmodSync(host.store, 0o555);
    expect(await faultsOf(host)).toMatchObject([{ check: 'store' }]);
  });
});

test('what is only slower is advice, not a fault', async () => {
  const host = fakeHost({ '/etc/apt/sources.list': '' });
  const findings = await examineHost(host);
  expect(findings.find(({ check }) => check === 'debian mirror')).toMatchObject({ state: 'advice' });
  expect(await faultsOf(host)).toEqual([]);
});

test('a proxy is shown without its password', async () => {
  const host = fakeHost();
  const environment = { ...host.environment, HTTPS_PROXY: 'http://user:secret@proxy.example:3128' };
  const texts = (await examineHost({ ...host, environment })).map(({ text }) => text);
  expect(texts).toContain('HTTPS_PROXY: http://proxy.example:3128');
  expect(texts.join()).not.toContain('secret');
});

test('the mount of a path is the nearest one above it, the last of those in one place', () => {
  const table = [
    '22 1 254:0 / / rw - ext4 /dev/vda rw',
    '30 22 0:30 / /var rw - xfs /dev/vdb rw',
    '31 30 0:31 / /var/my\\040cache rw,noexec - nfs4 server:/x rw',
    '32 30 0:32 / /var rw - btrfs /dev/vdc rw',
  ].join('\n');
  expect(mountOf(table, '/home')).toMatchObject({ point: '/', type: 'ext4' });
  expect(mountOf(table, '/var/cache')).toMatchObject({ point: '/var', type: 'btrfs' });
  expect(mountOf(table, '/var/my cache/buildit')).toMatchObject({ point: '/var/my cache', type: 'nfs4' });
  expect(mountOf(table, '/variable')).toMatchObject({ point: '/' });
});

requires('bwrap', 'user namespaces').test(
  'the probe works on this machine, as the user that builds run as',
  async () => {
    const isRoot = isRealRoot();
    const host = fakeHost({}, { root: '', isRoot, run: runAsBuild(isRoot), environment: process.env });
    const findings = await examineHost(host);
    expect(findings.find(({ check }) => check === 'user namespaces')).toMatchObject({ state: 'ok', text: 'work' });
  },
);
