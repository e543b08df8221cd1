import { describe, expect, test } from 'vitest';
import { heldFor, parseMachineMemory, readMachineMemory, reservedMemory } from '../../src/build/kernel-memory.ts';
import { processUsage } from '../../src/build/namespace-usage.ts';
import { restBefore } from '../../src/build/watch-limits.ts';

const MEMINFO = `MemTotal:       1000 kB
MemFree:         300 kB
MemAvailable:    500 kB
Buffers:          10 kB
Cached:          200 kB
SwapCached:        0 kB
SwapFree:         50 kB
AnonPages:       100 kB
Slab:             90 kB
SReclaimable:     40 kB
KernelStack:      20 kB
PageTables:       30 kB
`;

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;

describe('memory that the kernel holds', () => {
  test('is what is listed under no name that programs or caches have', () => {
    expect(parseMachineMemory(MEMINFO)).toEqual({ total: 1000 * 1024, available: 550 * 1024, held: 300 * 1024 });
    expect(readMachineMemory().held).toBeGreaterThan(0);
  });

  test('counts for a sandbox as far as its sockets and files can hold it, and as far as there has come to be more', () => {
    const sockets = { sockets: 100, files: 0 };
    expect(heldFor(sockets, 5 * MEBIBYTE, MEBIBYTE)).toBe(5 * MEBIBYTE);
    expect(heldFor(sockets, 500 * MEBIBYTE, MEBIBYTE)).toBe(100 * MEBIBYTE);
    expect(heldFor({ sockets: 0, files: 64 }, 500 * MEBIBYTE, MEBIBYTE)).toBe(MEBIBYTE);
    expect(heldFor(sockets, -1, MEBIBYTE)).toBe(0);
  });

  test('leaves a machine a sixty-fourth of its memory, within bounds', () => {
    expect([1, 16, 64, 512].map((size) => reservedMemory(size * GIBIBYTE) / MEBIBYTE)).toEqual([64, 256, 512, 512]);
  });
});

test('a process uses its pages, swapped or not, their tables, and a stack of the kernel for each thread', () => {
  const status =
    'Name:\tRssAnon: 9 kB\nFDSize:\t256\nVmPTE:\t 100 kB\nVmSwap:\t 7 kB\nRssAnon:\t 20 kB\nRssFile:\t 999 kB\nRssShmem:\t 3 kB\nThreads:\t2\n';
  expect(processUsage(status)).toEqual({ bytes: (100 + 7 + 20 + 3 + 32) * 1024, files: 256 });
  expect(processUsage('')).toEqual({ bytes: 0, files: 0 });
});

test('the watch looks again before a limit can be passed by much', () => {
  expect(restBefore(8 * GIBIBYTE, 20 * GIBIBYTE)).toBe(500);
  expect(restBefore(512 * MEBIBYTE, 20 * GIBIBYTE)).toBe(128);
  expect(restBefore(8 * GIBIBYTE, 100 * MEBIBYTE)).toBe(100);
  expect(restBefore(0, -5)).toBe(50);
});
