import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { installation, runBuildit } from '../support/run-buildit.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A user: a home of their own, and the verb as they run it. */
function newUser() {
  const home = temporaryDirectory();
  const run = (...argv: readonly string[]) => runBuildit(['key', ...argv], { cwd: home, environment: { HOME: home } });
  return { home, run, configuration: join(home, '.config', 'buildit') };
}

const PRINT = /SHA256:[A-Za-z0-9+/]{43}/;

describe('buildit key', () => {
  test('new makes a key that signs, and never a second one over it', async () => {
    const { run, configuration } = newUser();
    const made = await run('new', '--comment', 'me@example.org');
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(PRINT) });
    expect(made.stderr).toContain('It signs from now on');
    const before = readFileSync(join(configuration, 'signing-key'), 'utf8');
    const again = await run('new');
    expect(again).toMatchObject({ exitCode: 73, stdout: '' });
    expect(again.stderr).toContain('expected no file, found one');
    expect(readFileSync(join(configuration, 'signing-key'), 'utf8')).toBe(before);
    const { stdout } = await run('list', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      signingKey: { place: join(configuration, 'signing-key'), type: 'ssh-ed25519', comment: 'me@example.org' },
      trusted: [],
      revoked: [],
      problems: [],
    });
  });

  test('export prints the line that trust takes on another machine', async () => {
    const [me, you] = [newUser(), newUser()];
    await me.run('new', '--comment', 'me@example.org');
    const exported = (await me.run('export')).stdout;
    expect(exported).toMatch(
      /^me@example\.org namespaces="buildit-package,buildit-index" ssh-ed25519 [A-Za-z0-9+/=]+\n$/,
    );
    const trusted = spawnSync(process.execPath, [`${installation}/bin/buildit.js`, 'key', 'trust', '-'], {
      cwd: you.home,
      env: { PATH: process.env.PATH, HOME: you.home },
      input: exported,
      encoding: 'utf8',
    });
    expect(trusted.stdout).toMatch(/^me@example\.org SHA256:\S+ is trusted for buildit-package,buildit-index\n$/);
    expect(readFileSync(join(you.configuration, 'allowed_signers'), 'utf8')).toBe(exported);
    expect((await you.run('list')).stdout).toMatch(
      /me@example\.org {2}SHA256:\S+ {2}buildit-package,buildit-index {2}trusted/,
    );
  });

  test('trust takes a file or the key itself, with the terms that are given', async () => {
    const { home, run, configuration } = newUser();
    await run('new', '--file', 'builder', '--comment', 'some words');
    const text = readFileSync(join(home, 'builder.pub'), 'utf8').trim();
    expect(await run('trust', 'builder.pub')).toMatchObject({
      exitCode: 65,
      stderr: expect.stringContaining('--principal alice@example.org'),
    });
    await run('trust', 'builder.pub', '--principal', 'alice', '--namespaces', 'buildit-index');
    await run('trust', ...text.split(' '), '--principal', 'bob', '--valid-before', '20300101Z');
    const key = text.split(' ').slice(0, 2).join(' ');
    expect(readFileSync(join(configuration, 'allowed_signers'), 'utf8')).toBe(
      `alice namespaces="buildit-index" ${key} some words\n` +
        `bob namespaces="buildit-package,buildit-index",valid-before="20300101000000Z" ${key} some words\n`,
    );
    expect((await run('list')).stdout).toContain('until 2030-01-01 00:00 UTC');
  });

  test.each([
    [['trust', 'nothing.pub'], 66, 'expected a public key or a file with one, found neither'],
    [['trust', 'private'], 65, 'expected a public key, found a private one'],
    [['trust', 'text'], 65, 'expected a public key such as'],
    [['trust', 'a', 'b'], 65, 'expected one file or one key, found several words'],
    [['trust', 'key.pub', '--principal', 'a,b'], 65, 'found "a,b"'],
    [['trust', 'key.pub', '--principal', '*'], 65, 'found "*"'],
    [['trust', 'key.pub', '--namespaces', 'a b'], 64, 'expected namespaces'],
    [['trust', 'key.pub', '--valid-before', '2030-02-30'], 64, 'expected a time'],
    [['untrust', 'carol'], 65, 'expected a fingerprint or a principal'],
    [['rotate'], 66, "expected a key of buildit's own, found no file"],
    [['rotate', '--grace', 'long'], 64, 'expected a time'],
    [['export'], 66, 'expected a key to sign with, found none'],
    [['export', '--key', 'key.pub', '--principal', 'a b'], 64, 'expected a name without spaces'],
  ])('%j is refused', async (argv, exitCode, message) => {
    const { home, run, configuration } = newUser();
    await run('new', '--file', 'key');
    writeFileSync(join(home, 'private'), readFileSync(join(home, 'key')));
    writeFileSync(join(home, 'text'), 'some text\n');
    const refused = await run(...argv);
    expect(refused).toMatchObject({ exitCode, stdout: '' });
    expect(refused.stderr).toContain(message);
    expect(existsSync(join(configuration, 'allowed_signers'))).toBe(false);
  });

  test('untrust keeps what a person wrote around the line, and revokes when told to', async () => {
    const { home, run, configuration } = newUser();
    await run('new', '--file', 'key', '--comment', 'alice');
    mkdirSync(configuration, { recursive: true });
    writeFileSync(join(configuration, 'allowed_signers'), '# my team\n');
    const [print] = PRINT.exec((await run('trust', 'key.pub')).stdout)!;
    const { stdout } = await run('untrust', print!, '--revoke');
    expect(stdout).toBe(`alice ${print} is revoked\n`);
    expect(readFileSync(join(configuration, 'allowed_signers'), 'utf8')).toBe('# my team\n');
    expect((await run('list')).stdout).toContain(`Revoked in ${configuration}/revoked_keys`);
    const again = await run('trust', 'key.pub');
    expect(again).toMatchObject({ exitCode: 78, stderr: expect.stringContaining('found it in') });
    expect(readFileSync(join(home, 'key.pub'), 'utf8')).toContain('alice');
  });

  test('rotate prints the two lines that others need', async () => {
    const { run, configuration } = newUser();
    await run('new', '--comment', 'me');
    const old = (await run('export')).stdout.trim().split(' ').at(-1);
    const rotated = await run('rotate', '--grace', '1d');
    const lines = rotated.stdout.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^me namespaces="buildit-package,buildit-index",valid-before="\d{14}Z" ssh-ed25519 /);
    expect(lines[0]!.endsWith(old!)).toBe(true);
    expect(`${lines[1]}\n`).toBe((await run('export')).stdout);
    expect(readFileSync(join(configuration, 'allowed_signers'), 'utf8')).toBe(rotated.stdout);
    expect(rotated.stderr).toContain('The old private key lies in');
  });

  test('uses the files that the configuration names', async () => {
    const { home, run } = newUser();
    await run('new', '--file', 'key', '--comment', 'me');
    mkdirSync(join(home, '.config', 'buildit'), { recursive: true });
    const config = `sign: {key: ${home}/key}\ntrust: {allowed-signers: ${home}/trusted/who}\n`;
    writeFileSync(join(home, '.config', 'buildit', 'config.yaml'), config);
    await run('trust', 'key.pub');
    expect(readFileSync(join(home, 'trusted', 'who'), 'utf8')).toBe((await run('export')).stdout);
    const overview = JSON.parse((await run('list', '--json')).stdout);
    expect(overview).toMatchObject({
      signingKey: { place: `${home}/key` },
      revokedKeys: `${home}/trusted/revoked_keys`,
    });
  });

  test('list says which lines do not count', async () => {
    const { run, configuration } = newUser();
    mkdirSync(configuration, { recursive: true });
    writeFileSync(join(configuration, 'allowed_signers'), '# empty\nalice nonsense\u001b[31m\n');
    const { exitCode, stdout, stderr } = await run('list');
    expect({ exitCode, empty: stdout.includes('Nobody is trusted') }).toEqual({ exitCode: 0, empty: true });
    expect(stderr).toContain('warning: Cannot understand line 2 of');
    expect(stderr).not.toContain('\u001b');
  });

  requires('ssh-keygen').test('new makes what ssh-keygen reads, and trusts what ssh-keygen made', async () => {
    const { home, run } = newUser();
    await run('new', '--file', 'ours');
    expect(execFileSync('ssh-keygen', ['-y', '-f', join(home, 'ours')], { encoding: 'utf8' })).toBe(
      readFileSync(join(home, 'ours.pub'), 'utf8'),
    );
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', 'words', '-C', 'alice@x', '-f', join(home, 'theirs')]);
    expect((await run('trust', 'theirs.pub')).stdout).toMatch(/^alice@x SHA256:\S+ is trusted/);
    expect((await run('export', '--key', 'theirs')).stdout).toMatch(/^alice@x namespaces="\S+" ecdsa-sha2-nistp256 /);
  });

  test('help names every verb below it', async () => {
    const { stdout } = await runBuildit(['key', '--help']);
    for (const verb of ['new', 'list', 'trust', 'untrust', 'rotate', 'export']) expect(stdout).toContain(`  ${verb} `);
  });
});
