import { describe, expect, test } from 'vitest';
import { bubblewrapArguments, type SandboxSpec } from '../../src/build/bubblewrap-arguments.ts';

const spec: SandboxSpec = {
  root: {
    path: '/store/roots/r/tree',
    directories: ['etc', 'usr'],
    links: [
      { name: 'bin', target: 'usr/bin' },
      { name: 'lib64', target: 'usr/lib64' },
    ],
    procFiles: [{ path: '/proc/cpuinfo', source: '/store/roots/r/proc/cpuinfo' }],
  },
  uid: 1000,
  gid: 1000,
  capabilities: [],
  mounts: [
    { source: '/w/work', destination: '/build', access: 'write' },
    { source: '/w/out', destination: '/out', access: 'read' },
  ],
  tmpfsBytes: 4096,
  environment: { PATH: '/usr/bin', A: 'b c' },
  session: 'new',
  command: ['/usr/bin/bash', '-c', 'true'],
};

describe('the arguments of bubblewrap', () => {
  test('are the whole policy, in the order it is carried out', () => {
    expect(bubblewrapArguments(spec)).toEqual([
      ...['--unshare-all', '--unshare-user', '--disable-userns', '--die-with-parent', '--as-pid-1', '--new-session'],
      ...['--cap-drop', 'ALL'],
      ...['--hostname', 'localhost', '--uid', '1000', '--gid', '1000'],
      ...['--clearenv', '--setenv', 'A', 'b c', '--setenv', 'PATH', '/usr/bin'],
      ...['--ro-bind', '/store/roots/r/tree/etc', '/etc', '--ro-bind', '/store/roots/r/tree/usr', '/usr'],
      ...['--symlink', 'usr/bin', '/bin', '--symlink', 'usr/lib64', '/lib64'],
      ...['--proc', '/proc', '--ro-bind', '/store/roots/r/proc/cpuinfo', '/proc/cpuinfo'],
      ...['--remount-ro', '/proc'],
      ...['--dev', '/dev', '--remount-ro', '/dev'],
      ...['--perms', '1777', '--size', '4096', '--tmpfs', '/dev/shm'],
      ...['--perms', '1777', '--size', '4096', '--tmpfs', '/tmp'],
      ...['--perms', '1777', '--size', '4096', '--tmpfs', '/run'],
      ...['--bind', '/w/work', '/build', '--ro-bind', '/w/out', '/out'],
      ...['--remount-ro', '/', '--chdir', '/', '--info-fd', '3', '--add-seccomp-fd', '4'],
      ...['--', '/usr/bin/bash', '-c', 'true'],
    ]);
  });

  test('keep the session for a shell alone', () => {
    expect(bubblewrapArguments({ ...spec, session: 'keep' })).not.toContain('--new-session');
  });

  test('add the capabilities that are kept after all were dropped', () => {
    const words = bubblewrapArguments({ ...spec, uid: 0, gid: 0, capabilities: ['CAP_DAC_READ_SEARCH'] });
    expect(words.slice(words.indexOf('--cap-drop'), words.indexOf('--hostname'))).toEqual([
      ...['--cap-drop', 'ALL', '--cap-add', 'CAP_DAC_READ_SEARCH'],
    ]);
  });

  test('let what takes itself for a container listen at low ports, with no namespace between it and its network', () => {
    const words = bubblewrapArguments({ ...spec, asContainer: true });
    expect(words).not.toContain('--disable-userns');
    expect(words).not.toContain('--dev');
    expect(words.slice(words.indexOf('--cap-drop'), words.indexOf('--hostname'))).toEqual([
      ...['--cap-drop', 'ALL', '--cap-add', 'CAP_NET_BIND_SERVICE'],
    ]);
  });

  test('never bind the root as a whole, nor share the network', () => {
    const words = bubblewrapArguments(spec);
    const binds = words.flatMap((word, index) => (/bind$/.test(word) ? [words[index + 2]] : []));
    expect(binds).not.toContain('/');
    expect(words).not.toContain('--share-net');
  });
});
