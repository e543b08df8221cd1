import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareLibraryNames, ldSoCache } from '../../src/image/ld-so-cache.ts';
import { programPath, requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const platform = { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' } as const;

function printed(...args: readonly string[]): string[] {
  const lines = execFileSync(programPath('ldconfig')!, args, { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.startsWith('\t'));
}

describe('ld.so.cache', () => {
  test('sorts as the loader searches: runs of digits are numbers, and above letters', () => {
    const sorted = ['libz.so.10', 'libz.so.9', 'libz.so', 'liba.so.1', 'lib2.so', 'libz.so.1.2'].sort(
      compareLibraryNames,
    );
    expect(sorted).toEqual(['liba.so.1', 'libz.so', 'libz.so.1.2', 'libz.so.9', 'libz.so.10', 'lib2.so']);
  });

  requires('ldconfig').test('is what ldconfig makes of the same directory, as ldconfig prints it', () => {
    const root = temporaryDirectory();
    const directory = join(root, 'opt/lib');
    mkdirSync(directory, { recursive: true });
    mkdirSync(join(root, 'etc'));
    writeFileSync(join(root, 'etc/ld.so.conf'), '/opt/lib\n');
    const host = `/usr/lib/${platform.architecture === 'amd64' ? 'x86_64' : 'aarch64'}-linux-gnu`;
    const sonames = readdirSync(host).filter((name) =>
      /^lib(z|c|m|gcc_s|stdc\+\+|crypto|pcre2-8)\.so\.[0-9]+$/.test(name),
    );
    expect(sonames.length).toBeGreaterThan(3);
    for (const name of sonames) {
      copyFileSync(realpathSync(join(host, name)), join(directory, `${name}.0.0`));
      symlinkSync(`${name}.0.0`, join(directory, name));
    }
    execFileSync(programPath('ldconfig')!, ['-r', root, '-X', '-C', '/etc/real.cache']);
    const expected = printed('-C', join(root, 'etc/real.cache'), '-p');

    writeFileSync(
      join(root, 'own.cache'),
      ldSoCache(
        sonames.map((name) => ({ name, path: `/opt/lib/${name}` })),
        platform,
      ),
    );
    expect(printed('-C', join(root, 'own.cache'), '-p')).toEqual(expected);
    expect(expected).toHaveLength(sonames.length);
  });
});
