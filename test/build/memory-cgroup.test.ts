import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type CgroupView, memoryCgroupParent, openMemoryCgroup } from '../../src/build/memory-cgroup.ts';

function view(writable: readonly string[], controllers: Readonly<Record<string, string>> = {}): CgroupView {
  return {
    isWritable: (directory) => writable.includes(directory),
    controllersBelow: (directory) => controllers[directory] ?? '',
  };
}

describe('the control group that bounds memory', () => {
  const session = '/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope';
  const service = '/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service';

  test('is made below the nearest writable group that gives memory to others', () => {
    const writable = [`/sys/fs/cgroup${session}`, `${service}/app.slice`, service];
    const found = memoryCgroupParent(`0::${session}\n`, view(writable, { [`${service}/app.slice`]: 'memory pids' }));
    expect(found).toMatchObject({ directory: `${service}/app.slice`, hierarchy: { limit: 'memory.max' } });
  });

  test.each([
    ['nothing is delegated', `0::${session}\n`, view([])],
    ['no group gives memory', `0::${session}\n`, view([`/sys/fs/cgroup${session}`, `${service}/app.slice`])],
    ['a group between is not writable', `0::${session}\n`, view([service], { [service]: 'memory' })],
    ['the group lies outside of the namespace', '0::/../../x\n', view(['/sys/fs/cgroup'])],
    ['there are no groups', '', view([])],
  ])('is none where %s', (_, own, seen) => {
    expect(memoryCgroupParent(own, seen)).toBeUndefined();
  });

  test('is made in the hierarchy of version 1 where that has the memory', () => {
    const own = '5:cpu,cpuacct:/a\n4:memory:/jobs/1\n0::/\n';
    const found = memoryCgroupParent(own, view(['/sys/fs/cgroup/memory/jobs/1']));
    expect(found).toMatchObject({
      directory: '/sys/fs/cgroup/memory/jobs/1',
      hierarchy: { limit: 'memory.limit_in_bytes' },
    });
    expect(memoryCgroupParent(own, view([]))).toBeUndefined();
  });
});

describe('a process in a control group of its own', () => {
  const probe = openMemoryCgroup(32 * 2 ** 20);
  probe?.close();

  test.skipIf(probe === undefined).each([
    ['that stays below the limit is left alone', '1', false],
    ['that goes over the limit is ended by the kernel', '256', true],
  ])('%s', async (_, mebibytes, isOver) => {
    const group = openMemoryCgroup(32 * 2 ** 20)!;
    const child = spawn(
      'sh',
      [
        '-c',
        `read go; head -c ${mebibytes}M /dev/zero | tail -c 1 >/dev/null; text=$(head -c ${mebibytes}M /dev/zero | tr '\\0' a); test -n "$text"`,
      ],
      {
        stdio: ['pipe', 'ignore', 'ignore'],
      },
    );
    group.add(child.pid!);
    child.stdin.end('go\n');
    await once(child, 'close');
    expect(group.ranOut()).toBe(isOver);
    group.close();
  });
});
