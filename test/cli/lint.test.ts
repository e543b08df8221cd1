import { chmodSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DIGEST, type Files, writeFiles } from '../definition/project.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const BADLY_SPELT = `# A tool that nobody needs  
name: app-misc/tool
description: "A tool"   # with a comment
homepage:  https://example.org/
license: MIT
versions:
  1.0: { sha256: ${DIGEST} }  # the old one
  1.10: { sha256: ${DIGEST} }
source:
  url: https://example.org/tool-{{version}}.tar.gz
  unpack: YES
class: autotools
flags:
  speed: {default: True ,description: 'Run  faster'}
phases:
  build: |
    make  
    make more
test:
  - {run: [/usr/bin/tool]}\t
`;

const MENDED = `# A tool that nobody needs
name: app-misc/tool
description: "A tool"   # with a comment
homepage:  https://example.org/
license: MIT
versions:
  1.10: { sha256: ${DIGEST} }
  1.0: { sha256: ${DIGEST} }  # the old one
source:
  url: https://example.org/tool-{{version}}.tar.gz
  unpack: true
class: autotools
flags:
  speed: {default: true ,description: 'Run  faster'}
phases:
  build: |
    make  
    make more
test:
  - {run: [/usr/bin/tool]}
`;

function project(files: Files = {}): string {
  const directory = temporaryDirectory();
  writeFiles(directory, {
    '.buildit-config.yaml': 'recipes: [{name: main, path: ./recipes}]\n',
    'recipes/repository.yaml': `name: main
debian: {suites: [bookworm], components: [main]}
root: {toolchain: [build-essential], minimal: [bash], runtime: [libc6], tools: [bubblewrap]}
`,
    'recipes/app-misc/tool/pkg.yaml': MENDED.replace('make  \n', 'make\n'),
    ...files,
  });
  return directory;
}

const PKG = 'recipes/app-misc/tool/pkg.yaml';

describe('buildit lint', () => {
  test('ends with 0 where there is nothing to say, for a directory and for a name', async () => {
    const cwd = project();
    for (const what of ['recipes', 'recipes/app-misc/tool', 'app-misc/tool', 'app-misc/tool-1.0']) {
      const run = await runBuildit(['lint', what], { cwd });
      expect(run).toEqual({ exitCode: 0, stdout: '0 errors, 0 warnings\n', stderr: '' });
    }
  });

  test('names the directory to whoever names the file in it', async () => {
    const cwd = project();
    const meant = { 'recipes/app-misc/tool/pkg.yaml': 'recipes/app-misc/tool', 'recipes/repository.yaml': 'recipes' };
    for (const [typed, directory] of Object.entries(meant)) {
      expect(await runBuildit(['lint', typed], { cwd })).toMatchObject({
        exitCode: 66,
        stderr: expect.stringMatching(`found a file\n  hint: did you mean ${directory}\\?\n`),
      });
    }
    const inside = await runBuildit(['lint', 'pkg.yaml'], { cwd: join(cwd, 'recipes/app-misc/tool') });
    expect(inside.stderr).toContain('did you mean .?');
  });

  test('tells warnings and ends with 0, with --strict with 14', async () => {
    const cwd = project({ [PKG]: MENDED });
    const run = await runBuildit(['lint', 'recipes'], { cwd });
    expect(run).toEqual({
      exitCode: 0,
      stdout: `${PKG}:17:9: warning: expected the end of the line, found spaces before it (trailing-space)
  hint: they are a part of the text here: remove them by hand
0 errors, 1 warning
`,
      stderr: '',
    });
    expect((await runBuildit(['lint', '--strict', 'recipes'], { cwd })).exitCode).toBe(14);
  });

  test('ends with 14 for an error, and as JSON is one document', async () => {
    const cwd = project({ [PKG]: MENDED.replace('license: MIT', 'license: MTI').replace('make  ', 'make') });
    const { exitCode, stdout } = await runBuildit(['lint', '--json', 'recipes'], { cwd });
    expect(exitCode).toBe(14);
    expect(JSON.parse(stdout)).toEqual({
      findings: [
        {
          code: 'unknown-license',
          severity: 'error',
          message: 'Cannot read "license": expected an identifier of the SPDX list, found "MTI"',
          hint: expect.stringContaining('did you mean "MIT"?'),
          file: PKG,
          line: 5,
          column: 10,
          fixable: false,
        },
      ],
      errors: 1,
      warnings: 0,
      fixed: 0,
    });
  });

  test('mends with --fix what is spelt badly and leaves every other byte', async () => {
    const cwd = project({ [PKG]: BADLY_SPELT });
    chmodSync(join(cwd, PKG), 0o640);
    const before = await runBuildit(['lint', 'app-misc/tool'], { cwd });
    expect(before.stdout).toContain('0 errors, 6 warnings, 5 to be mended by --fix\n');
    expect(readFileSync(join(cwd, PKG), 'utf8')).toBe(BADLY_SPELT);
    const { exitCode, stdout } = await runBuildit(['lint', '--fix', 'app-misc/tool'], { cwd });
    expect(readFileSync(join(cwd, PKG), 'utf8')).toBe(MENDED);
    expect(statSync(join(cwd, PKG)).mode & 0o777).toBe(0o640);
    expect({ exitCode, last: stdout.split('\n').at(-2) }).toEqual({
      exitCode: 0,
      last: '0 errors, 1 warning, 5 mended',
    });
  });

  test('leaves versions where a comment stands between them', async () => {
    const text = MENDED.replace('make  ', 'make').replace(/( {2}1\.10.*\n)( {2}1\.0:.*\n)/, '$2  # the new one\n$1');
    const cwd = project({ [PKG]: text });
    const { stdout } = await runBuildit(['lint', '--fix', 'recipes'], { cwd });
    expect(stdout).toContain('(versions-order)');
    expect(readFileSync(join(cwd, PKG), 'utf8')).toBe(text);
  });

  test('refuses what is nothing to judge', async () => {
    const cwd = project();
    for (const [what, found] of [
      ['nowhere', 'neither'],
      ['recipes/app-misc', 'a directory without any'],
      [PKG, 'a file'],
      ['../..', 'a directory without any'],
    ] as const) {
      const { exitCode, stderr } = await runBuildit(['lint', what], { cwd });
      expect(exitCode).toBe(66);
      expect(stderr).toContain(`Cannot lint "${what}"`);
      expect(stderr).toContain(`found ${found}`);
    }
    expect((await runBuildit(['lint'], { cwd })).exitCode).toBe(64);
  });

  test('finds no error in the recipes and examples that come with buildit', async () => {
    const { installation } = await import('../support/run-buildit.ts');
    const what = ['repos/main', 'examples/hello', 'examples/nginx-prod'];
    const { exitCode, stdout } = await runBuildit(['lint', ...what], { cwd: installation });
    expect({ exitCode, errors: /^(\d+) errors/m.exec(stdout)?.[1] }).toEqual({ exitCode: 0, errors: '0' });
  });
});

test('more than fifty findings of one kind in a file are counted', async () => {
  const directory = temporaryDirectory();
  writeFiles(directory, { 'container.yaml': `x: |\n${' \n'.repeat(200_000)}` });
  const { stdout } = await runBuildit(['lint', directory]);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.length).toBeLessThan(120);
  expect(lines.join('\n')).toMatch(/: warning: 199950 more of this kind \(trailing-space\); --json lists all$/m);
});
