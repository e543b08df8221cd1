import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { installation, runBuildit } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const VERBS = [
  'build',
  'plan',
  'hash',
  'why',
  'lock',
  'fetch',
  'shell',
  'log',
  'push',
  'pull',
  'search',
  'show',
  'add',
  'rm',
  'import',
  'gc',
  'store',
  'doctor',
  'schema',
  'completion',
];

describe('the command line', () => {
  test('prints its version', async () => {
    const { version } = JSON.parse(readFileSync(join(installation, 'package.json'), 'utf8')) as { version: string };
    expect(await runBuildit(['--version'])).toEqual({ exitCode: 0, stdout: `buildit ${version}\n`, stderr: '' });
  });

  const keeping = ['init', 'ls', 'verify', 'gc', 'pin', 'rm', 'serve'].map((verb) => ['binhost', verb]);
  const pairs = [
    ...['container', 'pkg', 'repository'].map((what) => ['new', what]),
    ['config', 'show'],
    ['config', 'trust'],
    ...keeping,
  ];
  test.each([...VERBS.map((verb) => [verb]), ...pairs])('explains %s %s with examples', async (...words) => {
    const { exitCode, stdout, stderr } = await runBuildit([...words, '--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`Usage: buildit ${words.join(' ')}`);
    expect(stdout).toMatch(/Examples:\n {2}buildit /);
  });

  test('names every verb in its help', async () => {
    const { stdout } = await runBuildit(['--help']);
    for (const verb of VERBS) expect(stdout).toMatch(new RegExp(`^  ${verb} `, 'm'));
  });

  test('shows the help when nothing was asked for, and a hint where there is a container', async () => {
    const cwd = temporaryDirectory();
    const nothing = await runBuildit([], { cwd });
    expect(nothing).toMatchObject({ exitCode: 64, stdout: '', stderr: expect.stringContaining('Usage: buildit') });
    expect(nothing.stderr).not.toContain('container.yaml: ');
    writeFileSync(join(cwd, 'container.yaml'), '');
    expect((await runBuildit([], { cwd })).stderr).toContain('`buildit .` builds it');
  });

  test.each<[string[], string[]]>([
    [['biuld'], ['Cannot run "biuld"', 'did you mean "build"?']],
    [
      ['paln', 'x'],
      ['Cannot run "paln"', 'did you mean "plan"?'],
    ],
    [
      ['build', '--jbos', '2', 'x'],
      ["unknown option '--jbos'", 'did you mean "--jobs"?'],
    ],
    [
      ['x/', '--ofline'],
      ["unknown option '--ofline'", 'did you mean "--offline"?'],
    ],
    [
      ['gc', '--dryrun'],
      ["unknown option '--dryrun'", 'did you mean "--dry-run"?'],
    ],
    [['build', '--jobs', 'many', 'x'], ['expected a number from 1 to 9999']],
    [['gc', '--max-age', 'soon'], ['expected a time such as 12h']],
    [['binhost', 'gc', '--min-age', 'soon'], ['expected a time such as 12h']],
    [['binhost', 'serve', '--port', '99999'], ['expected a number from 0 to 65535']],
    [['push', '--offline', 'x/'], ['expected a network with --push']],
    [['build', '--progress', 'loud', 'x'], ['Allowed choices are auto, tty, plain, github, gitlab, json']],
    [['plan'], ["missing required argument 'dir'", '`buildit help plan`']],
    [
      ['new', 'contianer', 'x'],
      ["unknown command 'contianer'", 'did you mean "container"?'],
    ],
    [['completion', 'tcsh'], ['Allowed choices are bash, zsh, fish']],
    [['shell', 'x', '--failed', '--phase=build'], ['expected one of --failed and --phase']],
    [
      ['help', 'biuld'],
      ['Cannot print the help of "biuld"', 'did you mean "build"?'],
    ],
    [['x/', '--from-source', '--binary-only'], ['expected one of --from-source and --binary-only']],
    [
      ['x/', '--tag', 'name:1.0'],
      ['Cannot use --tag "name:1.0"', 'expected a tag of letters'],
    ],
  ])('refuses %j with what was meant', async (argv, said) => {
    const { exitCode, stdout, stderr } = await runBuildit(argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(/^error: Cannot /);
    for (const text of said) expect(stderr).toContain(text);
  });

  test.each(['new', 'config', 'binhost'])('shows the help of %s when it is not said what to do', async (verb) => {
    const { exitCode, stdout, stderr } = await runBuildit([verb]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toContain(`Usage: buildit ${verb}`);
  });

  test('names the directory that was meant where another path was typed', async () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'all/web'), { recursive: true });
    writeFileSync(join(cwd, 'all/web/container.yaml'), '');
    for (const [typed, found] of [
      ['all', 'none in it'],
      ['all/web/container.yaml', 'a file'],
    ] as const) {
      const { exitCode, stderr } = await runBuildit(['plan', typed], { cwd });
      expect(exitCode).toBe(66);
      expect(stderr).toContain(
        `Cannot use "${typed}": expected a directory that holds a container.yaml, found ${found}`,
      );
      expect(stderr).toContain('did you mean all/web?');
    }
  });

  test('says errors in the form of whoever reads them', async () => {
    const json = await runBuildit(['biuld', '--progress=json']);
    expect(JSON.parse(json.stderr)).toMatchObject({ kind: 'error', code: 'usage', hint: 'did you mean "build"?' });
    const github = await runBuildit(['biuld'], { environment: { GITHUB_ACTIONS: 'true' } });
    expect(github.stderr).toContain(
      '\n::error::Cannot run "biuld": expected a command or a directory, found neither\n',
    );
  });

  test('prints the schemas that editors and the program itself use', async () => {
    const names = (await runBuildit(['schema'])).stdout.trim().split('\n');
    expect(names).toContain('container');
    for (const name of names) {
      const { stdout } = await runBuildit(['schema', name]);
      expect(stdout).toBe(readFileSync(join(installation, `schemas/${name}.schema.json`), 'utf8'));
    }
    expect(await runBuildit(['schema', 'contaner'])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('did you mean "container"?'),
    });
    expect(await runBuildit(['schema', 'recipes'])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining(`expected ${names.join(', ')}`),
    });
  });

  test('prints every schema that a hint or the documentation names', async () => {
    const names = (await runBuildit(['schema'])).stdout.trim().split('\n');
    const paths = ['src', 'docs'].flatMap((top) =>
      readdirSync(join(installation, top), { recursive: true, encoding: 'utf8' }).map((path) => join(top, path)),
    );
    const texts = ['README.md', ...paths.filter((path) => /\.(?:ts|md)$/.test(path))];
    const named = texts.flatMap((path) =>
      [...readFileSync(join(installation, path), 'utf8').matchAll(/`buildit schema ([^ `]+)/g)].map(([, name]) => name),
    );
    expect(named).toContain('buildit-config');
    expect(names).toEqual(expect.arrayContaining(named));
  });

  test('ends quietly when the reader of its output goes away', async () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'bin'));
    const script = `"${process.execPath}" "${installation}/bin/buildit.js" --help 2>errors | true; cat errors`;
    const { execFileSync } = await import('node:child_process');
    expect(execFileSync('sh', ['-c', script], { cwd, encoding: 'utf8' })).toBe('');
  });
});

describe('buildit new container', () => {
  test('writes a directory once and never over something that is there', async () => {
    const cwd = temporaryDirectory();
    const first = await runBuildit(['new', 'container', 'my-app'], { cwd });
    expect(first).toEqual({
      exitCode: 0,
      stdout: 'my-app/container.yaml written\nmy-app/.gitignore written\n`buildit my-app` builds it\n',
      stderr: '',
    });
    const written = readFileSync(join(cwd, 'my-app/container.yaml'), 'utf8');
    expect(written).toContain('name: my-app');
    writeFileSync(join(cwd, 'my-app/container.yaml'), 'mine');
    expect(await runBuildit(['new', 'container', 'my-app'], { cwd })).toMatchObject({ exitCode: 64 });
    expect(readFileSync(join(cwd, 'my-app/container.yaml'), 'utf8')).toBe('mine');
  });

  test.each(['Has Spaces', '-x y', 'UPPER', 'a\u001bb'])('refuses the name %j', async (name) => {
    const { exitCode, stderr } = await runBuildit(['new', 'container', '--', name]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('Cannot name a container');
  });
});
