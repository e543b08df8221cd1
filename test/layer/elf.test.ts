import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { looksLikeElf, readElf } from '../../src/layer/elf.ts';
import type { ElfFacts } from '../../src/model/layer.ts';
import { requires } from '../support/requires.ts';

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';

/** Programs and libraries of this machine: not only glibc's own, some with many version definitions, some with none. */
function someElfFiles(most: number): string[] {
  const found: string[] = [];
  for (const directory of [LIBRARIES, '/usr/bin', '/usr/sbin']) {
    const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
    for (let i = 0; i < files.length; i += Math.max(1, Math.floor(files.length / most))) {
      const path = join(directory, files[i]!.name);
      if (statSync(path).size < 20e6 && !/\.[oa]$/.test(path)) {
        if (looksLikeElf(readFileSync(path).subarray(0, 4))) found.push(path);
      }
    }
  }
  return found;
}

/** What readelf prints, read back. One `readelf` for all files would mix their output. */
function factsOfReadelf(path: string): Omit<ElfFacts, 'machine'> {
  const text = execFileSync('readelf', ['--wide', '-d', '-V', '-l', path], {
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match[1]!);
  const versions = new Map<string, string[]>();
  let soname = '';
  const [, needs = ''] = /Version needs section([\s\S]*?)(?:\n\n|$)/.exec(text) ?? [];
  for (const line of needs.split('\n')) {
    soname = /File: (\S+)/.exec(line)?.[1] ?? soname;
    const name = /Name: (\S+) /.exec(line)?.[1];
    if (name !== undefined) versions.set(soname, [...(versions.get(soname) ?? []), name]);
  }
  const [, definitions = ''] = /Version definition section([\s\S]*?)(?:\n\n|$)/.exec(text) ?? [];
  const defines = [...definitions.matchAll(/Flags: (.*?) +Index: .*Name: (\S+)/g)].filter(
    ([, flags]) => !flags!.includes('BASE'),
  );
  return {
    path,
    soname: all(/Library soname: \[(.*)\]/g)[0],
    interpreter: all(/Requesting program interpreter: (.*)\]/g)[0],
    needed: all(/Shared library: \[(.*)\]/g).map((name) => ({
      soname: name,
      versions: (versions.get(name) ?? []).sort(),
    })),
    defines: defines.map(([, , name]) => name!).sort(),
    runPaths: all(/Library r(?:un)?path: \[(.*)\]/g).flatMap((paths) => paths.split(':')),
  };
}

requires('readelf').describe('readElf', () => {
  test('agrees with readelf about programs and libraries of this machine', () => {
    const files = someElfFiles(40);
    expect(files.length).toBeGreaterThan(30);
    for (const path of files) {
      const { machine, ...facts } = readElf(path, readFileSync(path))!;
      expect(facts).toEqual(factsOfReadelf(path));
      expect(machine).toBe(process.arch === 'x64' ? 'x86_64' : 'aarch64');
    }
  });

  test('reads libc with its interpreter, its versions and what it needs', () => {
    const facts = readElf('libc', readFileSync(`${LIBRARIES}/libc.so.6`))!;
    expect(facts.soname).toBe('libc.so.6');
    expect(facts.defines).toContain('GLIBC_2.17');
    expect(facts.defines).not.toContain('libc.so.6');
    expect(facts.needed).toContainEqual({
      soname: 'ld-linux-x86-64.so.2',
      versions: expect.arrayContaining(['GLIBC_2.3']),
    });
  });
});

requires('gcc', 'strip').test('readElf needs no section headers', () => {
  const directory = execFileSync('mktemp', ['-d']).toString().trim();
  const build = (...options: string[]) => {
    execFileSync('gcc', ['-x', 'c', '-', '-o', `${directory}/out`, ...options], { input: 'int main(void){return 0;}' });
    return readFileSync(`${directory}/out`);
  };
  try {
    const whole = build('-Wl,-rpath,/opt/a:$ORIGIN/b');
    const headless = Buffer.from(whole);
    headless.fill(0, 40, 48);
    headless.fill(0, 58, 64);
    expect(readElf('x', headless)).toEqual(readElf('x', whole));
    expect(readElf('x', whole)?.runPaths).toEqual(['/opt/a', '$ORIGIN/b']);
    expect(readElf('x', build('-static'))).toMatchObject({ interpreter: undefined, soname: undefined, needed: [] });
    expect(readElf('x', build('-c'))).toBeUndefined();
    expect(readElf('x', build('-shared', '-fPIC', '-Wl,-soname,libx.so.1', '-nostdlib'))).toMatchObject({
      soname: 'libx.so.1',
      needed: [],
    });
  } finally {
    execFileSync('rm', ['-r', directory]);
  }
});

describe('readElf never throws', () => {
  const whole = readFileSync('/usr/bin/env');

  test('on anything that is no ELF file', () => {
    for (const bytes of [
      '',
      '\x7fELF',
      '#!/bin/sh\n',
      '\x7fELF'.padEnd(64, '\xff'),
      '\x7fELF\x02\x01'.padEnd(64, '\0'),
    ]) {
      expect(readElf('x', Buffer.from(bytes, 'latin1'))).toBeUndefined();
    }
  });

  test('on files that are cut off', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length }), (length) => {
        readElf('x', whole.subarray(0, length));
      }),
      { numRuns: 500 },
    );
  });

  test('on flipped bits in headers and the dynamic section', () => {
    const start = whole.indexOf(Buffer.from('libc.so.6\0')) - 4000;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 8000 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 60 }),
        (changes) => {
          const bytes = Buffer.from(whole);
          for (const [i, [at, value]] of changes.entries())
            bytes[i % 2 === 0 ? 16 + (at % 1000) : Math.max(16, start) + at] = value;
          readElf('x', bytes);
        },
      ),
      { numRuns: 500 },
    );
  });
});
