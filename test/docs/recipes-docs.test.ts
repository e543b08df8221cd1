import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DIGEST, type Files, PATCH, packageOf, readFiles } from '../definition/project.ts';
import { installation } from '../support/run-buildit.ts';

const text = readFileSync(join(installation, 'docs/recipes.md'), 'utf8');
const [, recipe] = /^```yaml\n(.*?)^```/ms.exec(text)!;
const schema = JSON.parse(readFileSync(join(installation, 'schemas/pkg.schema.json'), 'utf8'));

const needed = (name: string, more = '') => ({
  [`recipes/${name}/pkg.yaml`]: `name: ${name}\nversion: 10.42\nclass: none\n${more}`,
});

const FILES: Files = {
  'pkgs/nginx/pkg.yaml': 'base: www-servers/tool-1.9.4\n',
  'recipes/www-servers/tool/pkg.yaml': recipe!,
  'recipes/www-servers/tool/patches/ours.patch': PATCH,
  'recipes/www-servers/tool/patches/old-compiler.patch': PATCH,
  'recipes/www-servers/tool/files/tool.conf': '',
  ...needed('dev-libs/pcre2'),
  ...needed('dev-libs/openssl', 'provides: [virtual/tls]\n'),
};

describe('docs/recipes.md', () => {
  test('is linked from the README', () => {
    expect(readFileSync(join(installation, 'README.md'), 'utf8')).toContain('(docs/recipes.md)');
  });

  test('shows a recipe that can be read, and does what the page says', async () => {
    const tool = packageOf(await readFiles(FILES), 'www-servers/tool');
    expect(tool.sources.map(({ sha256 }) => sha256)).toEqual([DIGEST]);
    expect(tool.sources.map(({ fileName }) => fileName)).toEqual(['tool-1.9.4.tgz']);
    expect(tool.patches.map(({ description }) => description)).toEqual(['Why it is there', 'Builds with gcc 12']);
    expect(tool.environment.CFLAGS).toMatch(/ -std=gnu17$/);
    expect(tool.environment.BUILDIT_CONFIGURE).toBe('--enable-fast --with-tls');
    expect(tool.dependencies.link.map(({ name }) => name)).toEqual(['openssl', 'pcre2']);
    expect(Object.keys(tool.phases)).toEqual([
      'prepare',
      'configure',
      'build',
      'check',
      'install',
      'licenses',
      'strip',
    ]);
  });

  test('shows every key that a recipe can have', () => {
    const keys = Object.keys(schema.$defs.recipe.properties).filter((key) => key !== 'version' && key !== 'vendor');
    expect(keys.filter((key) => !new RegExp(`^${key}:`, 'm').test(recipe!))).toEqual([]);
  });
});
