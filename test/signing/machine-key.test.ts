import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createKeyFile } from '../../src/signing/create-key-file.ts';
import { openMachineKey } from '../../src/signing/machine-key.ts';
import { fingerprint } from '../../src/signing/public-key.ts';
import { signingPaths } from '../../src/signing/signing-paths.ts';
import { parseSshsig, verifySshsig } from '../../src/signing/sshsig.ts';
import { requires } from '../support/requires.ts';
import { programCommand, startProgram } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const uid = process.getuid?.();

describe('the key of this machine', () => {
  test('is made at first use, for its owner alone, and is the same from then on', async () => {
    const state = temporaryDirectory();
    const signer = await openMachineKey({ XDG_STATE_HOME: state }, uid);
    const path = join(state, 'buildit', 'machine-key');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(state, 'buildit')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(state, 'buildit'))).toEqual(['machine-key', 'machine-key.pub']);
    expect((await openMachineKey({ XDG_STATE_HOME: state }, uid)).publicKey).toEqual(signer.publicKey);
    const message = Buffer.from('record');
    expect(verifySshsig(parseSshsig(await signer.sign('buildit-package', message)), message)).toBe(true);
  });

  requires('ssh-keygen').test('is a key that ssh-keygen reads, and its .pub file is its public half', async () => {
    const state = temporaryDirectory();
    const { publicKey } = await openMachineKey({ XDG_STATE_HOME: state }, uid);
    const path = join(state, 'buildit', 'machine-key');
    const shown = execFileSync('ssh-keygen', ['-y', '-f', path], { encoding: 'utf8' });
    expect(shown).toBe(readFileSync(`${path}.pub`, 'utf8'));
    expect(execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' })).toContain(fingerprint(publicKey));
  });

  test('is one for eight processes that need the first at once', async () => {
    const state = temporaryDirectory();
    const program = new URL('programs/open-machine-key.ts', import.meta.url);
    const command = ['env', `XDG_STATE_HOME=${state}`, ...programCommand(program)];
    const running = Array.from({ length: 8 }, () => startProgram(command));
    await Promise.all(running.map((process) => process.nextLine()));
    for (const { child } of running) child.stdin!.write('go\n');
    const prints = await Promise.all(running.map((process) => process.nextLine()));
    expect(new Set(prints).size).toBe(1);
    await Promise.all(running.map((process) => process.ended()));
    expect(readdirSync(join(state, 'buildit'))).toEqual(['machine-key', 'machine-key.pub']);
    expect(fingerprint((await openMachineKey({ XDG_STATE_HOME: state }, uid)).publicKey)).toBe(prints[0]);
  });

  test('that is damaged or open to others is an error that says what to do', async () => {
    const state = temporaryDirectory();
    await openMachineKey({ XDG_STATE_HOME: state }, uid);
    const path = join(state, 'buildit', 'machine-key');
    chmodSync(path, 0o644);
    await expect(openMachineKey({ XDG_STATE_HOME: state }, uid)).rejects.toMatchObject({ hint: `chmod 600 ${path}` });
    writeFileSync(path, '');
    chmodSync(path, 0o600);
    await expect(openMachineKey({ XDG_STATE_HOME: state }, uid)).rejects.toMatchObject({
      code: 'input-invalid',
      hint: expect.stringContaining('remove the file'),
    });
  });
});

test('a key file is never overwritten', async () => {
  const path = join(temporaryDirectory(), 'key');
  writeFileSync(path, 'precious');
  expect(await createKeyFile(path, '')).toBeUndefined();
  expect(readFileSync(path, 'utf8')).toBe('precious');
});

test('a key that cannot be written is an error with its place', async () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  await expect(createKeyFile(join(file, 'key'), '')).rejects.toMatchObject({ code: 'cannot-write' });
});

test('paths follow XDG, and those of root are the ones of the system', () => {
  const home = { HOME: '/home/me' };
  expect(signingPaths(home, 1000)).toEqual({
    allowedSigners: '/home/me/.config/buildit/allowed_signers',
    revokedKeys: '/home/me/.config/buildit/revoked_keys',
    signingKey: '/home/me/.config/buildit/signing-key',
    machineKey: '/home/me/.local/state/buildit/machine-key',
  });
  expect(signingPaths(home, 0).machineKey).toBe('/var/lib/buildit/machine-key');
  expect(signingPaths({ ...home, XDG_STATE_HOME: '/state' }, 0).machineKey).toBe('/state/buildit/machine-key');
  expect(signingPaths({ ...home, XDG_CONFIG_HOME: 'relative' }, 1000).signingKey).toMatch(/^\/home\/me\/\.config/);
  expect(signingPaths(home, 1000, { allowedSigners: '~/who' })).toMatchObject({
    allowedSigners: '/home/me/who',
    revokedKeys: '/home/me/revoked_keys',
  });
});
