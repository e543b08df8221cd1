import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ElfSource } from '../../src/layer/elf.ts';
import { looksLikeElf } from '../../src/layer/elf.ts';
import { readElfTraits } from '../../src/layer/elf-traits.ts';
import { requires } from '../support/requires.ts';

function sourceOf(bytes: Buffer): ElfSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** Programs and libraries of this machine: those of Debian are stripped, those of Node and its packages are often not. */
function someElfFiles(): string[] {
  const directories = ['/usr/bin', '/usr/sbin', '/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu'];
  return directories.flatMap((directory) => {
    const names = safely(() => readdirSync(directory, { withFileTypes: true })) ?? [];
    const files = names.filter((entry) => entry.isFile()).map(({ name }) => join(directory, name));
    const elf = files.filter((path) => looksLikeElf(readFileSync(path).subarray(0, 4)) && !path.endsWith('.o'));
    return elf.filter((_, index) => index % Math.ceil(elf.length / 10) === 0);
  });
}

function safely<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

requires('readelf').test('readElfTraits agrees with readelf about programs and libraries of this machine', () => {
  const files = someElfFiles();
  expect(files.length).toBeGreaterThan(10);
  for (const path of files) {
    const text = execFileSync('readelf', ['--wide', '-l', '-d', '-S', path], { stdio: ['ignore', 'pipe', 'ignore'] });
    const said = text.toString();
    const stack = /GNU_STACK +\S+ +\S+ +\S+ +\S+ +\S+ +(\S+)/.exec(said)?.[1];
    expect([path, readElfTraits(sourceOf(readFileSync(path)))]).toEqual([
      path,
      {
        machine: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
        hasSymbols: /\.symtab|\.z?debug_info/.test(said),
        hasTextRelocations: /\(TEXTREL\)|FLAGS\).*TEXTREL/.test(said),
        hasExecutableStack: stack === undefined ? / DYNAMIC /.test(said) : stack.includes('E'),
      },
    ]);
  }
});

describe('readElfTraits never throws', () => {
  const whole = readFileSync('/usr/bin/env');

  test('on anything that is no ELF file', () => {
    for (const text of [
      '',
      '\x7fELF',
      '#!/bin/sh\n',
      '\x7fELF\x02\x01'.padEnd(64, '\xff'),
      '\x7fELF\x02\x02'.padEnd(64, '\0'),
    ]) {
      expect(readElfTraits(sourceOf(Buffer.from(text, 'latin1')))).toBeUndefined();
    }
  });

  test('on files that are cut off or changed', () => {
    fc.assert(
      fc.property(fc.nat(whole.length), fc.array(fc.tuple(fc.nat(1000), fc.nat(255))), (length, changes) => {
        const bytes = Buffer.from(whole.subarray(0, length));
        for (const [offset, value] of changes) if (offset < bytes.length) bytes[offset] = value;
        readElfTraits(sourceOf(bytes));
      }),
      { numRuns: 300 },
    );
  });
});
