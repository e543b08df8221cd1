import { describe, expect, test } from 'vitest';
import { type FilterOptions, filterInstructions, seccompFilter } from '../../src/build/seccomp-filter.ts';
import {
  AUDIT_ARCHITECTURES,
  type FilterArchitecture,
  SYSTEM_CALL_NUMBERS,
  type SystemCall,
  systemCallNumber,
} from '../../src/build/system-call-numbers.ts';

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const refused = (error: number) => 0x00050000 | error;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];

interface Call {
  readonly number: number;
  readonly args?: readonly number[];
  readonly audit?: number;
}

/** Runs a filter as the kernel does (linux/filter.h): what it answers for one call. */
function answerOf(
  architecture: FilterArchitecture,
  { number, args = [], audit }: Call,
  options: FilterOptions = {},
): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(audit ?? AUDIT_ARCHITECTURES[architecture], 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(BigInt(value), 16 + index * 8);
  const program = filterInstructions(architecture, options);
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 1) {
    const { code, jumpTrue, jumpFalse, k } = program[at]!;
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x15) at += accumulator === k ? jumpTrue : jumpFalse;
    else if (code === 0x35) at += accumulator >= k ? jumpTrue : jumpFalse;
    else if (code === 0x45) at += (accumulator & k) !== 0 ? jumpTrue : jumpFalse;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the filter ends without an answer');
}

describe.each(['x64', 'arm64'] as const)('the filter for %s', (architecture) => {
  const call = (name: SystemCall, ...args: number[]) =>
    answerOf(architecture, { number: systemCallNumber(name, architecture)!, args });

  test('allows what builds do', () => {
    const [read, openat, execve] = architecture === 'x64' ? [0, 257, 59] : [63, 56, 221];
    for (const number of [read, openat, execve]) expect(answerOf(architecture, { number })).toBe(ALLOW);
    expect(call('clone', 0x01200011)).toBe(ALLOW);
    expect(call('socket', 1)).toBe(ALLOW);
    expect(call('ioctl', 0, 0x5401)).toBe(ALLOW);
    expect(call('personality', 0x40000)).toBe(ALLOW);
    expect(call('unshare', 0x600)).toBe(ALLOW);
  });

  test('refuses to take room on disk without writing, and lets it be given back', () => {
    for (const mode of [0, 1, 0x10, 0x11, 0x20]) expect(call('fallocate', 3, mode)).toBe(refused(95));
    for (const mode of [0x03, 0x08]) expect(call('fallocate', 3, mode)).toBe(ALLOW);
  });

  test('refuses keyrings, other processes, mounts, modules and the clock', () => {
    for (const name of ['keyctl', 'add_key', 'request_key', 'ptrace', 'bpf', 'mount', 'open_tree', 'fsopen'] as const) {
      expect(call(name)).toBe(refused(EPERM));
    }
    for (const name of ['setns', 'pivot_root', 'io_uring_setup', 'userfaultfd', 'settimeofday', 'reboot'] as const) {
      expect(call(name)).toBe(refused(EPERM));
    }
  });

  test('refuses a new namespace of every kind', () => {
    for (const flag of [0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(call('clone', flag | 17)).toBe(refused(EPERM));
      expect(call('unshare', flag)).toBe(refused(EPERM));
    }
    expect(call('unshare', 0x80)).toBe(refused(EPERM));
    expect(call('clone3')).toBe(refused(ENOSYS));
  });

  test('refuses typing into a terminal, whatever the upper half of the argument says', () => {
    expect(call('ioctl', 0, 0x5412)).toBe(refused(EPERM));
    expect(call('ioctl', 0, 0x1_0000_5412)).toBe(refused(EPERM));
    expect(call('ioctl', 0, 0x541c)).toBe(refused(EPERM));
  });

  test('refuses sockets that no network namespace holds back', () => {
    const [AF_VSOCK, AF_ALG, AF_PACKET] = [40, 38, 17];
    for (const family of [AF_VSOCK, AF_ALG, AF_PACKET]) expect(call('socket', family)).toBe(refused(EAFNOSUPPORT));
    expect(call('socketpair', AF_VSOCK)).toBe(refused(EAFNOSUPPORT));
  });

  test("ends a process that uses another machine's calls", () => {
    const i386 = 0x40000003;
    expect(answerOf(architecture, { number: 1, audit: i386 })).toBe(KILL);
    const other = AUDIT_ARCHITECTURES[architecture === 'x64' ? 'arm64' : 'x64'];
    expect(answerOf(architecture, { number: 1, audit: other })).toBe(KILL);
  });

  test('says that changes of identity worked, to what takes itself for a container alone', () => {
    for (const name of ['setuid', 'setresgid', 'setgroups', 'fchownat', 'capset'] as const) {
      const number = systemCallNumber(name, architecture)!;
      expect(answerOf(architecture, { number })).toBe(ALLOW);
      expect(answerOf(architecture, { number }, { asContainer: true })).toBe(refused(0));
    }
  });

  test('refuses a container all that it refuses a build', () => {
    for (const name of Object.keys(SYSTEM_CALL_NUMBERS) as SystemCall[]) {
      const number = systemCallNumber(name, architecture);
      if (number === undefined) continue;
      const call = { number, args: [0x10000000, 0x5412] };
      const answer = answerOf(architecture, call);
      if (answer !== ALLOW) expect(answerOf(architecture, call, { asContainer: true }), name).toBe(answer);
    }
  });

  test('says something about every call in the table', () => {
    const [ordinary, undecided] = [
      ['clone', 'ioctl', 'personality', 'socket', 'socketpair', 'unshare'],
      [] as string[],
    ];
    for (const name of Object.keys(SYSTEM_CALL_NUMBERS) as SystemCall[]) {
      const number = systemCallNumber(name, architecture);
      if (number === undefined || ordinary.includes(name)) continue;
      if (answerOf(architecture, { number }, { asContainer: true }) === ALLOW) undecided.push(name);
    }
    expect(undecided).toEqual([]);
  });

  test('is an array of eight-byte instructions', () => {
    expect(seccompFilter(architecture).length).toBe(filterInstructions(architecture).length * 8);
    expect(filterInstructions(architecture).length).toBeLessThan(4096);
  });
});

test('the filter for x64 refuses the same calls by their x32 numbers', () => {
  expect(answerOf('x64', { number: 0x40000000 | 101 })).toBe(refused(ENOSYS));
});
