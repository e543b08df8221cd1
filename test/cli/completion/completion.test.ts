import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requires } from '../../support/requires.ts';
import { runBuildit } from '../../support/run-buildit.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function scriptFor(shell: string): Promise<string> {
  const { stdout } = await runBuildit(['completion', shell]);
  const path = join(temporaryDirectory(), `buildit.${shell}`);
  writeFileSync(path, stdout);
  return path;
}

requires('bash').test.each<[string, string[], string[]]>([
  ['verbs', ['pl'], ['plan']],
  ['options of a verb', ['plan', '--exit'], ['--exit-code']],
  ['options of the default verb', ['dir', '--from'], ['--from-source']],
  ['values that are known', ['build', '--progress', 'git'], ['github', 'gitlab']],
  ['words of a verb that has others below it', ['config', 'tr'], ['trust']],
  ['options of a verb below another', ['config', 'show', '--or'], ['--origin']],
  ['words of any such verb', ['patch', 're'], ['refresh']],
  ['options below any such verb', ['patch', 'new', 'pkgs/nginx', '--forw'], ['--forwarded']],
  ['choices of an argument', ['completion', 'z'], ['zsh']],
  ['directories', ['build', 'some'], ['some dir', 'somewhere']],
])('bash completes %s', async (_, words, expected) => {
  const cwd = temporaryDirectory();
  execFileSync('mkdir', ['some dir', 'somewhere'], { cwd });
  const script = `source "$1"; shift; COMP_WORDS=(buildit "$@"); COMP_CWORD=$#; _buildit; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const path = await scriptFor('bash');
  const stdout = execFileSync('bash', ['-uc', script, 'bash', path, ...words], { cwd, encoding: 'utf8' });
  expect(stdout.trimEnd().split('\n').sort()).toEqual(expected);
});

requires('zsh').test('zsh accepts its script', async () => {
  execFileSync('zsh', ['-n', await scriptFor('zsh')]);
});

requires('fish').test('fish accepts its script', async () => {
  execFileSync('fish', ['-n', await scriptFor('fish')]);
});

test('every verb and every option is in every script', async () => {
  const { stdout } = await runBuildit(['build', '--help']);
  const options = [...stdout.matchAll(/--[a-z-]+/g)]
    .map(([option]) => option.slice(2))
    .filter((name) => name !== 'help');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const script = (await runBuildit(['completion', shell])).stdout;
    for (const name of ['doctor', 'lock', ...options]) expect(script).toContain(name);
  }
});
