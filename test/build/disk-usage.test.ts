import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDiskMeter } from '../../src/build/disk-usage.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MEBIBYTE = 2 ** 20;

test('what directories take is walked after a while, links not followed', async () => {
  const directory = temporaryDirectory();
  let clock = 0;
  const meter = createDiskMeter([directory], () => clock);
  mkdirSync(join(directory, 'deep'));
  writeFileSync(join(directory, 'deep/file'), Buffer.alloc(3 * MEBIBYTE, 1));
  symlinkSync('/', join(directory, 'link'));
  expect(await meter.measure(2 ** 50)).toBe(0);
  clock = 11_000;
  const bytes = await meter.measure(2 ** 50);
  expect(bytes).toBeGreaterThan(3 * MEBIBYTE);
  expect(bytes).toBeLessThan(4 * MEBIBYTE);
  rmSync(join(directory, 'deep'), { recursive: true });
  expect(await meter.measure(2 ** 50)).toBe(bytes);
  clock = 22_000;
  expect(await meter.measure(2 ** 50)).toBeLessThan(MEBIBYTE);
});

test('it is walked at once when the file system has filled by as much as is left', async () => {
  const directory = temporaryDirectory();
  const meter = createDiskMeter([directory], () => 0);
  writeFileSync(join(directory, 'file'), Buffer.alloc(3 * MEBIBYTE, 1));
  expect(await meter.measure(0)).toBeGreaterThan(3 * MEBIBYTE);
});

test('empty files are not nothing', async () => {
  const directory = temporaryDirectory();
  let clock = 0;
  const meter = createDiskMeter([directory], () => clock);
  for (let i = 0; i < 100; i += 1) writeFileSync(join(directory, String(i)), '');
  clock = 11_000;
  expect(await meter.measure(2 ** 50)).toBeGreaterThanOrEqual(100 * 1024);
});

requires('ordinary user').test('a directory that cannot be read hides nothing from the limit', async () => {
  const directory = temporaryDirectory();
  let clock = 0;
  const meter = createDiskMeter([directory], () => clock);
  mkdirSync(join(directory, 'closed'));
  writeFileSync(join(directory, 'closed/file'), Buffer.alloc(64 * MEBIBYTE, 1));
  chmodSync(join(directory, 'closed'), 0);
  clock = 11_000;
  const bytes = await meter.measure(2 ** 50);
  chmodSync(join(directory, 'closed'), 0o755);
  expect(bytes).toBeGreaterThan(32 * MEBIBYTE);
});
