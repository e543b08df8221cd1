import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { requires } from '../support/requires.ts';
import { MAIN } from './support/every-recipe.ts';
import { imageDigests } from './support/image-digests.ts';
import { openPlace, type Person } from './support/place.ts';
import { runInstalled } from './support/run-installed.ts';

const BUILD_MS = 3_600_000;
const place = openPlace();

interface LanguageRecipe {
  readonly versions: Readonly<Record<string, unknown>>;
  readonly test: readonly { readonly run: readonly string[]; readonly stdout: string }[];
}

function containerOf(recipe: string): Person {
  const home = join(place.path, recipe.replace('/', '-'));
  const container = join(home, 'container');
  mkdirSync(container, { recursive: true });
  const steps = [
    'vars: {name: language, version: 1, os: linux, arch: amd64}',
    `package: {type: repository, name: ${recipe}}`,
  ];
  const text = ['---', ...[...steps, 'image: {type: oci}'].map((step) => `- ${step}`), ''].join('\n');
  writeFileSync(join(container, 'container.yaml'), text);
  return { user: undefined, home, store: join(place.path, 'store'), container };
}

requires('long tests', 'archive', 'user namespaces', 'bwrap', 'tar').describe('a program in', () => {
  test.each([
    ['Go', 'app-misc/gron'],
    ['JavaScript', 'www-servers/http-server'],
    ['Perl', 'app-misc/ack'],
    ['Python', 'dev-util/flake8'],
    ['Rust', 'app-misc/hexyl'],
  ])(
    '%s is built without network, twice to the same bytes, and runs in its image',
    async (_, recipe) => {
      const person = containerOf(recipe);
      const run = (...args: readonly string[]) =>
        runInstalled({ installation: place.installation(), person, args: ['build', ...args, person.container] });
      const first = await run();
      expect(first, first.stderr).toMatchObject({ exitCode: 0 });
      const digests = imageDigests(person);
      const again = await run('--from-source');
      expect(again, again.stderr).toMatchObject({ exitCode: 0 });
      expect(imageDigests(person)).toEqual(digests);

      const archive = join(person.home, 'image.tar');
      const packed = await run('--output', `type=tar,dest=${archive}`);
      expect(packed, packed.stderr).toMatchObject({ exitCode: 0 });
      const root = join(person.home, 'root');
      mkdirSync(root);
      execFileSync('tar', ['-xpf', archive, '-C', root]);
      const text = readFileSync(join(MAIN, recipe, 'pkg.yaml'), 'utf8');
      const { versions, test: own } = parse(text, { schema: 'failsafe' }) as LanguageRecipe;
      for (const { run: command, stdout } of own) {
        const sandbox = ['--unshare-all', '--clearenv', '--bind', root, '/', '--proc', '/proc', '--dev', '/dev'];
        const result = spawnSync('bwrap', [...sandbox, '--', ...command], { encoding: 'utf8' });
        expect(result.stdout, result.stderr).toContain(stdout.replaceAll('{{version}}', Object.keys(versions)[0]!));
        expect(result.status).toBe(0);
      }
    },
    BUILD_MS,
  );
});

requires('long tests', 'archive', 'user namespaces', 'tar').describe('scripts of an npm package', () => {
  test.each([
    { asked: 'unless the recipe asks', environment: '', says: 'nothing was compiled' },
    { asked: 'when the recipe asks', environment: 'environment: {npm_config_ignore_scripts: "false"}', says: '42' },
  ])(
    'are run $asked',
    async ({ asked, environment, says }) => {
      const home = join(place.path, `scripts ${asked}`);
      const container = join(home, 'container');
      writeScriptedPackage(join(container, 'answer'), environment);
      const steps = ['vars: {name: answer, version: 1}', 'package: {type: embedded, path: ./answer}'];
      const test = 'test: [{run: [/usr/bin/answer], stdout: "{{ says }}"}]'.replace('{{ says }}', says);
      const text = [...steps, test, 'image: {type: oci}'].map((step) => `- ${step}\n`).join('');
      writeFileSync(join(container, 'container.yaml'), text);
      const person = { user: undefined, home, store: join(place.path, 'store'), container };
      const built = await runInstalled({ installation: place.installation(), person, args: ['build', container] });
      expect(built, built.stderr).toMatchObject({ exitCode: 0 });
    },
    BUILD_MS,
  );
});

/** A recipe of a package whose script compiles what the program reads, packed as npm does. */
function writeScriptedPackage(directory: string, environment: string): void {
  const sources = join(directory, '../../package');
  mkdirSync(sources, { recursive: true });
  mkdirSync(directory, { recursive: true });
  const program = `#!/usr/bin/env node
const { existsSync } = require('fs');
const made = __dirname + '/made.js';
console.log(existsSync(made) ? require(made) : 'nothing was compiled');
`;
  const named = { name: 'answer', version: '1.0.0' };
  const files = {
    'answer.js': program,
    'compile.js': "require('fs').writeFileSync('made.js', 'module.exports = 42;\\n');\n",
    'package.json': JSON.stringify({ ...named, bin: 'answer.js', scripts: { install: 'node compile.js' } }),
    'package-lock.json': JSON.stringify({ ...named, lockfileVersion: 3, packages: { '': { ...named } } }),
    LICENSE: 'Do what you want.\n',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(sources, name), content);
  execFileSync('tar', ['-czf', join(directory, 'answer.tgz'), '-C', join(sources, '..'), 'package']);
  const recipe = `name: app-misc/answer
description: Says what its script compiled
license: MIT
version: 1.0.0
source: {file: answer.tgz}
class: npm
${environment}
`;
  writeFileSync(join(directory, 'pkg.yaml'), recipe);
}

requires('long tests', 'archive', 'user namespaces', 'tar').test(
  'a Python requirement whose source is a zip archive is built like the others',
  async () => {
    const home = join(place.path, 'zipped');
    const container = join(home, 'container');
    writeZippedRequirement(join(container, 'words'));
    const steps = ['vars: {name: words, version: 1}', 'package: {type: embedded, path: ./words}', 'image: {type: oci}'];
    writeFileSync(join(container, 'container.yaml'), steps.map((step) => `- ${step}\n`).join(''));
    const person = { user: undefined, home, store: join(place.path, 'store'), container };
    for (const args of [
      ['lock', '--vendor', join(container, 'words')],
      ['build', container],
    ]) {
      const run = await runInstalled({ installation: place.installation(), person, args });
      expect(run, run.stderr).toMatchObject({ exitCode: 0 });
    }
  },
  BUILD_MS,
);

/** A recipe of a module that needs another, of which the index has a zip archive alone. */
function writeZippedRequirement(directory: string): void {
  const sources = join(directory, '../../words-1.0');
  for (const path of [sources, join(directory, 'files')]) mkdirSync(path, { recursive: true });
  const digest = 'dc972e06094b9af5b855b3df4a646395e43d1c9d0d39ed345b7393560d0b9173';
  const files = {
    [join(sources, 'words.py')]: 'import simplegeneric\n\nprint(simplegeneric.generic.__name__)\n',
    [join(sources, 'setup.py')]:
      'from setuptools import setup\n\nsetup(name="words", version="1.0", py_modules=["words"])\n',
    [join(sources, 'LICENSE')]: 'Do what you want.\n',
    [join(directory, 'files/requirements.txt')]: `simplegeneric==0.8.1 --hash=sha256:${digest}\n`,
    [join(directory, 'pkg.yaml')]: `name: dev-python/words
description: Says a word of another module
license: MIT
version: 1.0
source: {file: words.tgz}
vendor: {ecosystem: python, file: files/requirements.txt}
class: python
test: [{run: [/usr/bin/python3, -m, words], stdout: generic}]
`,
  };
  for (const [path, content] of Object.entries(files)) writeFileSync(path, content);
  execFileSync('tar', ['-czf', join(directory, 'words.tgz'), '-C', join(sources, '..'), 'words-1.0']);
}

describe('the shipped recipes of languages', () => {
  test.each(['app-misc/gron', 'www-servers/http-server', 'dev-util/flake8', 'app-misc/hexyl'])(
    '%s pin every file beside them, and name no registry',
    (recipe) => {
      for (const file of ['pkg.yaml', 'vendor.lock']) {
        const text = readFileSync(join(MAIN, recipe, file), 'utf8');
        expect(text.match(/https?:\/\/(?!github\.com\/)/)).toBeNull();
      }
    },
  );
});
