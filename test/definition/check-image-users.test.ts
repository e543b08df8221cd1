import { describe, expect, test } from 'vitest';
import { type Files, mistakesOf, project } from './project.ts';

const SERVER = 'pkgs/server/pkg.yaml';

/** The container's www-servers/nginx asks for "nginx" with uid 101; beside it is a package with these lines. */
function beside(
  lines: readonly string[],
  steps: readonly string[] = ['- package: {type: embedded, path: ./pkgs/server}'],
) {
  const head = ['- vars: {name: web, version: 1.0}', '- package: {type: embedded, path: ./pkgs/nginx}'];
  const files: Files = {
    'container.yaml': [...head, ...steps, '- image: {type: oci}', ''].join('\n'),
    [SERVER]: ['name: a/server', 'version: 1', 'class: none', ...lines, ''].join('\n'),
  };
  return mistakesOf(project(files));
}

describe('users of one image', () => {
  test('may be the same of two packages', async () => {
    expect(await beside(['users: [{name: nginx, uid: 101}, {name: server, uid: 102}]'])).toEqual([]);
  });

  test('have one uid in all packages of it, and each uid is of one of them', async () => {
    for (const [user, fault] of [
      ['{name: nginx, uid: 102}', 'expected "nginx" to have uid 101 and gid 101 as there, found uid 102 and gid 102'],
      [
        '{name: nginx, uid: 101, gid: 33}',
        'expected "nginx" to have uid 101 and gid 101 as there, found uid 101 and gid 33',
      ],
      ['{name: server, uid: 101}', 'expected uid 101 for "nginx" alone, found it for "server"'],
    ]) {
      expect(await beside([`users: [${user}]`])).toEqual([
        expect.stringContaining(
          `${SERVER}:4:9 Cannot put "a/server" beside "www-servers/nginx": ${fault} | packages of`,
        ),
      ]);
    }
  });

  test('are those of what a package runs too, and not those of what it is built with', async () => {
    const files = (kind: string) => ({
      'recipes/a/tool/pkg.yaml': 'name: a/tool\nversion: 1\nclass: none\nusers: [{name: tool, uid: 101}]\n',
      [SERVER]: `name: a/server\nversion: 1\nclass: none\ndependencies: {${kind}: [a/tool]}\n`,
      'container.yaml': [
        '- vars: {name: web, version: 1.0}',
        '- package: {type: embedded, path: ./pkgs/nginx}',
        '- package: {type: embedded, path: ./pkgs/server}',
        '- image: {type: oci}',
        '',
      ].join('\n'),
    });
    expect(await mistakesOf(project(files('run')))).toEqual([
      expect.stringMatching(/recipes\/a\/tool\/pkg\.yaml:4:9 Cannot put "a\/tool" beside "www-servers\/nginx"/),
    ]);
    expect(await mistakesOf(project(files('build')))).toEqual([]);
  });

  test('are those of the container’s own steps too', async () => {
    expect(await beside([], ['- user: {name: nginx, uid: 101, shell: /bin/sh}'])).toEqual([]);
    expect(await beside([], ['- user: {name: web, uid: 101}'])).toEqual([
      expect.stringContaining(
        'container.yaml:3:9 Cannot add the user "web" beside those of "www-servers/nginx": expected',
      ),
    ]);
  });
});
