import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { mistakesOf, project } from './project.ts';

const golden = fileURLToPath(new URL('../golden/definition-errors.txt', import.meta.url));

test('all mistakes of the files are told at once, in their order', async (context) => {
  const inContainer = await mistakesOf(
    project({
      'container.yaml': `- vars: {name: Web, version: 1.0 beta}
- package: {type: embeded, path: ./pkgs/nginx}
- sync: {src: ../nginx.conf, dst: /etc/nginx.conf, chmod: 0664x}
- file: {dest: /etc/motd, content: "{{ nmae }}", chmod: 4755}
- run: {command: [ldconfig]}
- iamge: {type: oci}
- image: {type: oci, compression: lzma, tags: ["{{ version }}"], config: {ports: [http]}}
`,
    }),
  );
  const inPackages = await mistakesOf(
    project({
      'pkgs/nginx/pkg.yaml': `base: www-servers/nginx-1.22.1
patches:
  ../outside.patch: x
  http://x.org/a.patch: {strip: -1}
use: {with: [htp2], without: [mail]}
environment: {DESTDIR: /}
`,
      'recipes/www-servers/nginx/pkg.yaml': `name: www-servers/nginx
versions:
  1.22.1: {sha256: abc}
source: ftp://nginx.org/nginx-{{version}}.tar.gz
class: autotool
flags: {http2: {default: maybe}, mail: {}}
dependencies: {link: [dev-libs/opensll]}
subpackages: {doc: {}}
`,
    }),
  );
  const found = `${[...inContainer, '', ...inPackages].join('\n')}\n`;
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(golden, found);
    context.skip('the golden file was written');
  }
  expect(found).toBe(readFileSync(golden, 'utf8'));
});
