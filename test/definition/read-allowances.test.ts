import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OUTPUT_LINT_CODES } from '../../src/model/output-lint.ts';
import { packageOf, readFiles, SOUND } from './project.ts';

const RECIPE = 'recipes/www-servers/nginx/pkg.yaml';

test('a recipe and its derivation allow together, each with its reason and its paths', async () => {
  const definitions = await readFiles({
    [RECIPE]: `${SOUND[RECIPE]}allow: {set-id: "{{name}} opens port 80", unstripped: {reason: upstream does it}}\n`,
    'pkgs/nginx/pkg.yaml': `base: www-servers/nginx-1.22.1
allow:
  build-path: {reason: it tells its flags, paths: ["usr/lib/{{triplet}}/*", usr/sbin/nginx]}
`,
  });
  const { allowed } = packageOf(definitions, 'www-servers/nginx');
  expect(allowed?.map(({ position, ...allowance }) => [allowance, position?.line])).toEqual([
    [{ code: 'set-id', reason: 'nginx opens port 80', paths: [] }, expect.any(Number)],
    [{ code: 'unstripped', reason: 'upstream does it', paths: [] }, expect.any(Number)],
    [{ code: 'build-path', reason: 'it tells its flags', paths: ['usr/lib/x86_64-linux-gnu/*', 'usr/sbin/nginx'] }, 3],
  ]);
});

test('a recipe without allowances has none', async () => {
  expect(packageOf(await readFiles({}), 'www-servers/nginx').allowed).toBeUndefined();
});

test('the schema names every code and no other', () => {
  const schema = JSON.parse(readFileSync(new URL('../../schemas/pkg.schema.json', import.meta.url), 'utf8'));
  expect(Object.keys(schema.$defs.allow.properties)).toEqual([...OUTPUT_LINT_CODES]);
});
