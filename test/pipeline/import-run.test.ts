import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { asRecipe, readRecipeSource } from '../../src/definition/read-recipe.ts';
import { Problems } from '../../src/document/problems.ts';
import { type ImportFormat, importRecipe } from '../../src/pipeline/import-run.ts';
import { requires } from '../support/requires.ts';
import { runBuildit } from '../support/run-buildit.ts';
import { runOptions } from '../support/run-options.ts';
import { startStaticServer } from '../support/static-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const fixtures = fileURLToPath(new URL('../fixtures/import/', import.meta.url));
const golden = fileURLToPath(new URL('../golden/import/', import.meta.url));

const cases: [string, ImportFormat, string][] = [
  ['apkbuild', 'apkbuild', 'apkbuild/greeter/APKBUILD'],
  ['apkbuild-odd', 'apkbuild', 'apkbuild/odd/APKBUILD'],
  ['ebuild', 'ebuild', 'ebuild/app-misc/greeter/greeter-2.4.1-r2.ebuild'],
  ['melange', 'melange', 'melange/greeter.yaml'],
  ['apkbuild-full', 'apkbuild', 'apkbuild/lantern/APKBUILD'],
  ['ebuild-full', 'ebuild', 'ebuild/app-misc/lantern/lantern-1.8.2.ebuild'],
  ['melange-full', 'melange', 'melange/lantern.yaml'],
];

describe('a recipe of another system', () => {
  test.each(cases)('%s is translated as far as it can be', async (name, format, file) => {
    const outcome = await importRecipe(await runOptions(fixtures), { format, file, output: undefined, fetch: false });
    const path = join(golden, `${name}.yaml`);
    if (process.env.UPDATE_GOLDEN === '1') writeFileSync(path, outcome.text);
    expect(outcome.text).toBe(readFileSync(path, 'utf8'));
    expect(outcome.written).toEqual([]);
    const marks = outcome.text.replace(/\n# {3}/g, ' ').match(/^# TODO\(import\): .*$/gm) ?? [];
    expect(marks.map((mark) => mark.slice('# TODO(import): '.length)).sort()).toEqual(
      outcome.todos.map(({ text }) => text).sort(),
    );
  });

  test.each(cases)('%s has the shape of a recipe of this one', async (_, format, file) => {
    const output = join(temporaryDirectory(), 'out');
    await importRecipe(await runOptions(fixtures), { format, file, output, fetch: false });
    const problems = new Problems('definition-invalid');
    const source = await readRecipeSource(output, { boundary: output, problems, witness: undefined });
    expect(asRecipe(source!, { repository: 'main', problems })).toMatchObject({ name: expect.stringMatching(/\//) });
    problems.throwAll();
  });

  test('comes with the patches and files beside it, and is never written over anything', async () => {
    const options = await runOptions(temporaryDirectory());
    const request = { format: 'apkbuild', file: join(fixtures, 'apkbuild/greeter/APKBUILD'), fetch: false } as const;
    const { written } = await importRecipe(options, { ...request, output: 'greeter' });
    const names = ['pkg.yaml', 'patches/politeness.patch', 'files/greeter.conf'];
    expect(written).toEqual(names.map((name) => join(options.cwd, 'greeter', name)));
    expect(readFileSync(written[2]!, 'utf8')).toBe('color = blue\n');
    await expect(importRecipe(options, { ...request, output: 'greeter' })).rejects.toMatchObject({ code: 'usage' });
    mkdirSync(join(options.cwd, 'other/files'), { recursive: true });
    writeFileSync(join(options.cwd, 'other/files/greeter.conf'), 'mine');
    await expect(importRecipe(options, { ...request, output: 'other' })).rejects.toMatchObject({ code: 'usage' });
    expect(readdirSync(join(options.cwd, 'other'))).toEqual(['files']);
  });

  test('cannot name files outside of its directory', async () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'in'));
    writeFileSync(join(cwd, 'secret.patch'), 'secret');
    execFileSync('ln', ['-s', '../secret.patch', join(cwd, 'in/link.patch')]);
    const sources = '../secret.patch /etc/passwd link.patch a/../../secret.patch';
    writeFileSync(join(cwd, 'in/APKBUILD'), `pkgname=x\npkgver=1\nlicense=MIT\nsource="${sources}"\n`);
    const request = { format: 'apkbuild', file: 'in/APKBUILD', output: 'out', fetch: false } as const;
    const { written, todos } = await importRecipe(await runOptions(cwd), request);
    expect(written).toEqual([join(cwd, 'out/pkg.yaml')]);
    expect(todos.filter(({ text }) => text.startsWith('not the name of a file'))).toHaveLength(3);
    expect(existsSync(join(cwd, 'out/patches'))).toBe(false);
  });

  test('cannot write keys of its own', async () => {
    const cwd = temporaryDirectory();
    const evil = 'x\nphases: {install: evil}\n# TODO';
    writeFileSync(
      join(cwd, 'APKBUILD'),
      `pkgname=x\npkgver=1\npkgdesc="${evil}"\nurl="${evil}"\nlicense="${evil}"\ndepends="evil'\n'phases:"\n`,
    );
    const request = { format: 'apkbuild', file: 'APKBUILD', output: undefined, fetch: false } as const;
    const { text } = await importRecipe(await runOptions(cwd), request);
    expect(text).not.toMatch(/^phases:/m);
  });

  test.each<[ImportFormat, string, string, string]>([
    ['apkbuild', 'APKBUILD', 'pkgname=$(id -un)\n', 'expected pkgname and pkgver'],
    ['ebuild', 'greeter.ebuild', 'EAPI=8\n', 'expected a file called NAME-VERSION.ebuild'],
    ['melange', 'a.yaml', 'package: &a {name: x, version: 1}\n', 'expected plain data, found "&a"'],
    ['melange', 'a.yaml', 'pipeline: []\n', 'expected package.name and package.version'],
  ])('%s %s without what it takes is refused', async (format, file, text, said) => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, file), text);
    const importing = importRecipe(await runOptions(cwd), { format, file, output: undefined, fetch: false });
    await expect(importing).rejects.toThrow(said);
  });
});

describe('buildit import', () => {
  test('prints the draft, and says what was left to do beside it', async () => {
    const file = join(fixtures, 'melange/greeter.yaml');
    const { stdout, stderr, exitCode } = await runBuildit(['import', 'melange', file]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: readFileSync(join(golden, 'melange.yaml'), 'utf8') });
    expect(stderr).toMatch(/^\d+ left to do, each marked TODO\(import\):\n {2}/);
  });

  requires('nginx', 'openssl').test('fetches what has no sha256, and compares what is said of it', async () => {
    const cwd = temporaryDirectory();
    const bytes = Buffer.from('the archive');
    writeFileSync(join(cwd, 'greeter-1.0.tar.gz'), bytes);
    const server = await startStaticServer(cwd);
    writeFileSync(join(cwd, 'ca.pem'), server.ca);
    const run = (sha512: string) => {
      const source = `source="https://${server.at}/greeter-$pkgver.tar.gz"\nsha512sums="${sha512}  greeter-1.0.tar.gz"\n`;
      writeFileSync(join(cwd, 'APKBUILD'), `pkgname=greeter\npkgver=1.0\nlicense=MIT\n${source}`);
      const environment = { NODE_EXTRA_CA_CERTS: join(cwd, 'ca.pem') };
      return runBuildit(['import', 'apkbuild', 'APKBUILD', '--fetch', '-o', 'out'], { cwd, environment });
    };
    expect(await run('0'.repeat(128))).toMatchObject({
      exitCode: 65,
      stderr: expect.stringContaining('expected sha512'),
    });
    expect(existsSync(join(cwd, 'out'))).toBe(false);
    const digest = (algorithm: string) => createHash(algorithm).update(bytes).digest('hex');
    expect(await run(digest('sha512'))).toMatchObject({ exitCode: 0, stdout: 'out/pkg.yaml written\n' });
    expect(readFileSync(join(cwd, 'out/pkg.yaml'), 'utf8')).toContain(`\n  sha256: ${digest('sha256')}\n`);
  });
});
