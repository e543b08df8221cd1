import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAPABILITIES } from '../../src/model/capability.ts';
import { packageOf, readFiles, SOUND } from './project.ts';

const RECIPE = 'recipes/www-servers/nginx/pkg.yaml';

test('the files of a recipe that have capabilities are sorted, with templates in their paths replaced', async () => {
  const definitions = await readFiles({
    [RECIPE]: `${SOUND[RECIPE]}capabilities:
  usr/sbin/{{name}}: [cap_sys_nice, cap_net_bind_service, cap_sys_nice]
  "usr/lib/{{triplet}}/helper": [cap_chown]
`,
  });
  expect(packageOf(definitions, 'www-servers/nginx').capabilities).toEqual([
    { path: 'usr/lib/x86_64-linux-gnu/helper', capabilities: ['cap_chown'], position: expect.anything() },
    {
      path: 'usr/sbin/nginx',
      capabilities: ['cap_net_bind_service', 'cap_sys_nice'],
      position: expect.objectContaining({ column: 3 }),
    },
  ]);
});

test('a recipe without capabilities has none', async () => {
  for (const text of ['', 'capabilities: {}\n']) {
    const definitions = await readFiles({ [RECIPE]: `${SOUND[RECIPE]}${text}` });
    expect(packageOf(definitions, 'www-servers/nginx')).not.toHaveProperty('capabilities');
  }
});

test('a Debian source package gives none: its own rules do', async () => {
  const text = 'name: www-servers/nginx\nclass: debian\nsource: {debian: nginx, version: "1.22.1"}\n';
  await expect(
    readFiles({ [RECIPE]: `${text}capabilities: {usr/sbin/nginx: [cap_net_bind_service]}\n` }),
  ).rejects.toThrow('Cannot use "capabilities": expected a package that is built by phases, found "class: debian"');
});

test('the schema names every capability and no other', () => {
  const schema = JSON.parse(readFileSync(new URL('../../schemas/pkg.schema.json', import.meta.url), 'utf8'));
  expect(schema.$defs.capability.enum).toEqual([...CAPABILITIES]);
});
