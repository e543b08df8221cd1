import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shippedClassPhases } from '../../src/definition/shipped-class-phases.ts';

describe('the phase that installs the texts of licences', () => {
  let place: string;
  const source = (path: string, text = `of ${path}\n`) => write(join(place, 'src', path), text);
  const output = (path: string) => join(place, 'out', path);
  const installed = () => readdirSync(output('.'), { recursive: true, encoding: 'utf8' }).sort();

  beforeEach(() => {
    place = mkdtempSync(join(tmpdir(), 'buildit-licenses-'));
    for (const name of ['src', 'out']) mkdirSync(join(place, name));
  });

  afterEach(() => rmSync(place, { recursive: true }));

  async function run(): Promise<void> {
    execFileSync('bash', ['-euo', 'pipefail', '-c', (await shippedClassPhases()).none!.licenses!], {
      cwd: join(place, 'src'),
      env: { PATH: process.env.PATH, DESTDIR: join(place, 'out'), BUILDIT_NAME: 'app-misc/tool' },
      stdio: 'pipe',
    });
  }

  test('takes them from beside the sources, however they are spelled', async () => {
    const names = [
      'COPYING',
      'COPYING.LIB',
      'Copyright',
      'LICENCE.md',
      'License',
      'license.txt',
      'NOTICE',
      'UNLICENSE',
    ];
    for (const name of names) source(name);
    for (const name of [
      'README',
      'copying.c',
      'LicenseHeader.go',
      'notice_board.py',
      'src/LICENSE',
      'deps/x/COPYING',
      'relicense',
      'my license',
    ])
      source(name);
    source('LICENSES/BSD-2-Clause.txt');
    await run();
    const found = readdirSync(output('usr/share/licenses/app-misc/tool')).sort();
    expect(found).toEqual([...names, 'BSD-2-Clause.txt'].sort());
    for (const name of names) {
      const path = output(`usr/share/licenses/app-misc/tool/${name}`);
      expect(readFileSync(path, 'utf8')).toBe(`of ${name}\n`);
      expect(statSync(path).mode & 0o777).toBe(0o644);
    }
  });

  test.each([
    'usr/share/licenses/tool/LICENSE',
    'usr/share/licences/tool/MIT.txt',
    'usr/share/doc/tool/copyright',
    'usr/share/doc/tool/LICENSE.md',
    'usr/share/doc/tool/Copying',
  ])('adds none to those that the install left at %s', async (path) => {
    write(output(path), 'its own\n');
    source('COPYING');
    await run();
    expect(installed()).not.toContain('usr/share/licenses/app-misc/tool/COPYING');
    expect(readFileSync(output(path), 'utf8')).toBe('its own\n');
  });

  test('takes no link, which may lead to a text of automake', async () => {
    source('elsewhere');
    symlinkSync('elsewhere', join(place, 'src', 'COPYING'));
    await run();
    expect(installed()).toEqual([]);
  });

  test('leaves a package without them as it is', async () => {
    source('README');
    await run();
    expect(installed()).toEqual([]);
  });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
