import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { searchLines } from '../../src/cli/commands/search.ts';
import { shownLines } from '../../src/cli/commands/show.ts';
import { newRepository } from '../../src/pipeline/new-run.ts';
import { search } from '../../src/pipeline/search-run.ts';
import { show } from '../../src/pipeline/show-run.ts';
import { runOptions } from '../support/run-options.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A user with a repository of their own beside the one that comes with buildit. */
async function withTeam(recipe: string) {
  const cwd = temporaryDirectory();
  await newRepository(await runOptions(cwd), 'team');
  mkdirSync(join(cwd, 'team/net-misc/herald/patches'), { recursive: true });
  writeFileSync(join(cwd, 'team/net-misc/herald/pkg.yaml'), recipe);
  writeFileSync(join(cwd, 'team/net-misc/herald/patches/polite.patch'), '');
  writeFileSync(join(cwd, '.buildit-config.yaml'), 'recipes: [{name: team, path: ./team}]\n');
  return await runOptions(cwd);
}

const HERALD = `name: net-misc/herald
description: Announces whoever arrives
homepage: https://herald.example.org/
license: MIT
versions: {1.10: {sha256: ${'a'.repeat(64)}}, 1.9: {sha256: ${'b'.repeat(64)}, patches: {patches/old.patch: For old compilers}}}
source: https://herald.example.org/herald-{{version}}.tar.gz
class: meson
flags:
  tls: {default: on, description: Encrypt, dependencies: {link: [dev-libs/openssl]}}
  loud: {description: Shout, requires: [tls], conflicts: [quiet], when: ">=1.10"}
  quiet: {description: Whisper}
dependencies: {build: [debian/gettext], run: [app-misc/ca-certificates]}
provides: [virtual/announcer]
replaces: [debian/herald]
capabilities: {usr/bin/herald: [cap_net_bind_service, cap_net_raw], "usr/lib/{{name}}/heard": [cap_net_raw]}
test: [{run: [/usr/bin/herald, --version]}]
`;

describe('show', () => {
  test('tells all that a recipe says', async () => {
    const options = await withTeam(HERALD);
    const lines = shownLines(await show(options, 'herald'), options.cwd);
    expect(lines).toEqual([
      'net-misc/herald: Announces whoever arrives',
      'homepage       https://herald.example.org/',
      'licence        MIT',
      'class          meson',
      'recipe         team/net-misc/herald/pkg.yaml of team',
      'provides       virtual/announcer',
      'replaces       debian/herald',
      'needs (build)  debian/gettext',
      'needs (run)    app-misc/ca-certificates',
      'capabilities   usr/bin/herald: cap_net_bind_service, cap_net_raw',
      '               usr/lib/{{name}}/heard: cap_net_raw',
      'tests          /usr/bin/herald --version',
      'VERSION  BUILT',
      '1.10     nowhere yet',
      '1.9      nowhere yet',
      'FLAG   DEFAULT',
      'tls    on       Encrypt; needs dev-libs/openssl',
      'loud   off      Shout; at >=1.10 only; with tls; not with quiet',
      'quiet  off      Whisper',
      'PATCH                 FOR',
      'patches/polite.patch',
      'patches/old.patch     1.9 only; For old compilers',
    ]);
  });

  test('knows a recipe by its name with a version that it has', async () => {
    const options = await withTeam(HERALD);
    expect((await show(options, 'net-misc/herald-1.9')).recipes).toHaveLength(1);
    await expect(show(options, 'net-misc/herald-2')).rejects.toMatchObject({ code: 'file-missing' });
    await expect(show(options, 'net-misc/heradl')).rejects.toMatchObject({ hint: 'did you mean "net-misc/herald"?' });
  });
});

describe('search', () => {
  test('finds recipes by name and description in all repositories', async () => {
    const options = await withTeam(HERALD);
    const names = async (text: string) => (await search(options, text)).map(({ name }) => name);
    expect(await names('ARRIVES')).toEqual(['net-misc/herald']);
    expect(await names('greet')).toEqual(['app-misc/greet', 'app-misc/hello']);
    expect(await names('app-misc/gree*')).toEqual(['app-misc/greet']);
    expect(await names('herald.example.org')).toEqual([]);
    expect(searchLines(await search(options, 'herald'))).toEqual([
      'RECIPE           NEWEST  OF    DESCRIPTION',
      'net-misc/herald  1.10    team  Announces whoever arrives',
      '1 found',
    ]);
  });

  test('warns of a recipe with a mistake and finds the others', async () => {
    const options = await withTeam(HERALD.replace('homepage', 'hompage').replace('Announces', 'greets'));
    expect((await search(options, 'greet')).map(({ name }) => name)).toEqual(['app-misc/greet', 'app-misc/hello']);
    expect(options.events).toMatchObject([{ kind: 'warning', text: expect.stringContaining('hompage') }]);
  });
});
