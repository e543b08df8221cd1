import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

/** A container with one package of its own that is built in the minimal root within a second. */
export function writeTinyContainer(directory: string, { build = 'echo built > result' } = {}): void {
  mkdirSync(join(directory, 'pkgs/tiny'), { recursive: true });
  writeFileSync(
    join(directory, 'container.yaml'),
    [
      '- vars: {name: tiny, version: 1.0.0, os: linux, arch: amd64}',
      '- base: none',
      '- package: {type: embedded, path: ./pkgs/tiny}',
      '- image: {type: oci}',
      '',
    ].join('\n'),
  );
  writeFileSync(
    join(directory, 'pkgs/tiny/pkg.yaml'),
    [
      'name: test/tiny',
      'version: 1.0.0',
      'license: MIT',
      'class: none',
      'root: minimal',
      'phases:',
      `  build: ${JSON.stringify(build)}`,
      '  install: install -D result "$DESTDIR/usr/share/tiny/result"',
      '',
    ].join('\n'),
  );
}

/** A store that the tests of one file share, so that the root of their builds is fetched and unpacked once. */
export function sharedStore(): { path(): string } {
  let parent = '';
  beforeAll(() => {
    parent = mkdtempSync(join(tmpdir(), 'buildit-test-store-'));
    chmodSync(parent, 0o755);
  });
  afterAll(() => rm(parent, { recursive: true, force: true, maxRetries: 3 }));
  return { path: () => join(parent, 'store') };
}
