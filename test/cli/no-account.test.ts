import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { requires } from '../support/requires.ts';
import { installation } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const UID = 123_456;

/** Runs the command line under a uid that has no account, as `docker run -u` and OpenShift do. */
function runWithoutAccount(cwd: string, environment: Record<string, string>, ...argv: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${installation}/bin/buildit.js`, ...argv], {
    ...{ cwd, uid: UID, gid: 0, encoding: 'utf8' },
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', ...environment },
  });
  return { exitCode: status, stdout, stderr };
}

function projectOf(uid: number): string {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  chownSync(directory, uid, 0);
  const place = (type: string) => `${type}-type: ssh, ${type}-path: 127.0.0.1:9/containers`;
  writeFileSync(
    join(directory, '.buildit-config.yaml'),
    `repository: {name: shelf, ${place('upload')}, ${place('download')}}\n`,
  );
  return directory;
}

/** Some check-outs lie below a directory that only root may enter. */
const isReachable =
  process.getuid?.() === 0 &&
  spawnSync('test', ['-r', `${installation}/bin/buildit.js`], { uid: UID, gid: 0 }).status === 0;

requires('root').test.skipIf(!isReachable)('a uid without an account works, and is told what is missing', () => {
  const directory = projectOf(UID);
  const store = join(directory, 'store');
  const shown = runWithoutAccount(directory, { HOME: directory, BUILDIT_STORE: store }, 'config', 'show', '.');
  expect(shown).toMatchObject({ exitCode: 0, stderr: '' });
  const searched = runWithoutAccount(directory, { HOME: directory, BUILDIT_STORE: store }, 'search', 'x');
  expect(searched.stderr).toContain(
    `Cannot connect to "127.0.0.1": expected a user name, found none: uid ${UID} has no account on this machine`,
  );
  for (const environment of [{}, { HOME: '' }, { HOME: 'relative' }]) {
    const { exitCode, stderr } = runWithoutAccount(directory, environment, 'config', 'show', '.');
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/^error: Cannot find your home directory: expected an absolute path in HOME/);
    expect(stderr).toContain('set HOME');
  }
  expect(runWithoutAccount(directory, {}, 'doctor').stdout).toContain('Cannot find your home directory');
  expect(runWithoutAccount(directory, { BUILDIT_STORE: store }, 'config', 'show', '.').stdout).toMatch(
    /^trust\.allowed-signers +\(none\)$/m,
  );
});
