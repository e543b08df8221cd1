import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shippedClassPhases } from '../../src/definition/shipped-class-phases.ts';
import { requires } from '../support/requires.ts';

const SOURCE = 'int answer(void) { return 42; }\nint main(void) { return answer() - 42; }\n';

requires('gcc', 'ar', 'objcopy', 'readelf', 'strip').describe('the phase that strips what was built', () => {
  const place = mkdtempSync(join(tmpdir(), 'buildit-strip-'));
  const [output, scratch] = [join(place, 'out'), join(place, 'scratch')];
  const at = (path: string) => join(output, path);
  const sections = (path: string) => execFileSync('readelf', ['-SW', at(path)], { encoding: 'utf8' });
  let script: string;
  const run = () =>
    execFileSync('bash', ['-euo', 'pipefail', '-c', script], {
      env: { ...process.env, DESTDIR: output },
      stdio: 'pipe',
    });

  beforeAll(async () => {
    script = (await shippedClassPhases()).none!.strip!;
    for (const directory of ['usr/bin', 'usr/lib']) mkdirSync(at(directory), { recursive: true });
    mkdirSync(scratch);
    const source = join(scratch, 'a.c');
    writeFileSync(source, SOURCE);
    const compile = (...args: readonly string[]) => execFileSync('gcc', ['-g', ...args, source]);
    compile('-Wl,--build-id=sha1', '-o', at('usr/bin/named'));
    compile('-Wl,--build-id=none', '-o', at('usr/bin/un named'));
    compile('-Wl,--build-id=none', '-o', at('usr/bin/ spaced '));
    compile('-shared', '-fPIC', '-Wl,--build-id=none', '-o', at('usr/lib/libanswer.so'));
    compile('-c', '-o', join(scratch, 'a.o'));
    execFileSync('ar', ['rcD', at('usr/lib/libanswer.a'), join(scratch, 'a.o')]);
    writeFileSync(at('usr/bin/script'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    linkSync(at('usr/bin/named'), at('usr/bin/again'));
    chmodSync(at('usr/bin/named'), 0o555);
    run();
  });

  afterAll(() => rmSync(place, { recursive: true }));

  test('leaves programs and libraries that run without symbols, and modes as they were', () => {
    for (const path of [
      'usr/bin/named',
      'usr/bin/again',
      'usr/bin/un named',
      'usr/bin/ spaced ',
      'usr/lib/libanswer.so',
    ]) {
      expect(sections(path), path).not.toMatch(/\.(symtab|debug_info) /);
      expect(sections(path), path).toContain('.gnu_debuglink');
    }
    for (const name of ['named', 'again', 'un named']) execFileSync(at(`usr/bin/${name}`));
    expect(statSync(at('usr/bin/named')).mode & 0o777).toBe(0o555);
    expect(statSync(at('usr/bin/named')).ino).toBe(statSync(at('usr/bin/again')).ino);
    expect(readFileSync(at('usr/bin/script'), 'utf8')).toBe('#!/bin/sh\nexit 0\n');
  });

  test('puts debug information where gdb looks for it: by build ID, else by the path', () => {
    const [start] = readdirSync(at('usr/lib/debug/.build-id'));
    const [rest] = readdirSync(at(`usr/lib/debug/.build-id/${start}`));
    expect(`${start}${rest}`).toMatch(/^[0-9a-f]{40}\.debug$/);
    for (const path of [`.build-id/${start}/${rest}`, 'usr/bin/un named.debug', 'usr/lib/libanswer.so.debug']) {
      expect(sections(`usr/lib/debug/${path}`), path).toContain('.debug_info');
    }
  });

  test('leaves archives what a linker needs', () => {
    const symbols = execFileSync('nm', [at('usr/lib/libanswer.a')], { encoding: 'utf8' });
    expect(symbols).toMatch(/ T answer/);
    expect(sections('usr/lib/libanswer.a')).not.toContain('.debug_info');
  });

  test('changes nothing a second time', () => {
    const files = [
      'usr/bin/named',
      'usr/lib/libanswer.so',
      'usr/lib/libanswer.a',
      'usr/lib/debug/usr/bin/un named.debug',
    ];
    const before = files.map((path) => readFileSync(at(path)));
    run();
    expect(files.map((path) => readFileSync(at(path)).equals(before[files.indexOf(path)]!))).toEqual(
      files.map(() => true),
    );
  });
});
