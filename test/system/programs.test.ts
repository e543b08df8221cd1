import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findProgram } from '../../src/system/programs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('findProgram', () => {
  test('takes the first program in PATH, passing over what cannot be run', () => {
    const directory = temporaryDirectory();
    for (const name of ['plain', 'directory', 'first', 'second']) mkdirSync(join(directory, name));
    writeFileSync(join(directory, 'plain/tool'), '');
    mkdirSync(join(directory, 'directory/tool'));
    for (const name of ['first', 'second']) {
      writeFileSync(join(directory, name, 'tool'), '#!/bin/sh\n');
      chmodSync(join(directory, name, 'tool'), 0o755);
    }
    const PATH = ['plain', 'directory', 'first', 'second'].map((name) => join(directory, name)).join(':');
    expect(findProgram('tool', { PATH })).toBe(join(directory, 'first/tool'));
  });

  test('finds system programs that PATH leaves out', () => {
    expect(findProgram('sh', {})).toMatch(/\/bin\/sh$/);
    expect(findProgram('no-such-program-anywhere', {})).toBeUndefined();
  });

  test('never looks into directories that are relative', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, 'tool'), '#!/bin/sh\n');
    chmodSync(join(directory, 'tool'), 0o755);
    const before = process.cwd();
    try {
      process.chdir(directory);
      expect(findProgram('tool', { PATH: ':.:./' })).toBeUndefined();
    } finally {
      process.chdir(before);
    }
  });

  test('takes bare names alone', () => {
    for (const name of ['../sh', '/bin/sh', '-sh', '']) expect(() => findProgram(name)).toThrow(TypeError);
  });
});
