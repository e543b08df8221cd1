import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { repository } from '../e2e/support/installation.ts';
import { openPlace } from '../e2e/support/place.ts';
import { runWithPodman } from '../e2e/support/run-image.ts';
import { requires } from '../support/requires.ts';

const AFTERNOON_MS = 900_000;
const page = readFileSync(join(repository, 'docs/first-afternoon.md'), 'utf8');
const place = openPlace();

/** The page's commands as one script. Images are run by the tests, which know what this machine's podman needs. */
function script(): string {
  const blocks = [...page.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block!);
  return blocks.join('').replaceAll(/^podman run .*\n/gm, '');
}

test('the README links to the page', () => {
  expect(readFileSync(join(repository, 'README.md'), 'utf8')).toContain('(docs/first-afternoon.md)');
});

requires('archive', 'user namespaces', 'bash', 'git').describe('the commands of docs/first-afternoon.md', () => {
  let run: ReturnType<typeof spawnSync>;
  const container = (name: string) => join(place.path, 'home', name);

  beforeAll(() => {
    const [home, programs] = [join(place.path, 'home'), join(place.path, 'programs')];
    for (const directory of [home, programs]) mkdirSync(directory);
    symlinkSync(join(place.installation(), 'bin/buildit.js'), join(programs, 'buildit'));
    const environment = {
      PATH: `${programs}:${process.env.PATH}`,
      HOME: home,
      BUILDIT_STORE: join(home, 'store'),
      EMAIL: 'somebody@example.org',
      LC_ALL: 'C.UTF-8',
    };
    execFileSync('git', ['config', '--global', 'user.name', 'Somebody'], { env: environment });
    run = spawnSync('bash', ['-euxo', 'pipefail', '-c', script()], {
      cwd: home,
      env: environment,
      encoding: 'utf8',
      timeout: AFTERNOON_MS,
    });
  }, AFTERNOON_MS);

  test('all do what the page says', () => {
    expect(run, String(run.stderr)).toMatchObject({ status: 0 });
    expect(run.stdout).toContain("Processing package from './pkgs/pv' for linux/amd64.");
    expect(run.stderr).toContain('check: exit code 1');
  });

  test('leave a patch with its header', () => {
    const patch = readFileSync(join(container('pv-box'), 'pkgs/pv/patches/ours.patch'), 'utf8');
    expect(patch).toMatch(/^Description: Say whose pv this is\n/);
    expect(patch).toContain('+\tprintf(_("Our %s %s - Copyright %s %s"),');
  });

  requires('podman', 'runc', 'root').test('give two images that run and say so', () => {
    const says = (name: string) =>
      runWithPodman(place.path, `oci:${join(container(name), 'out/oci')}:1.0.0`, '--version');
    expect(says('pv-box')).toMatch(/^Our pv 1\.6\.20 /);
    expect(says('own-pv')).toMatch(/^our pv 1\.6\.20 /);
  });
});
