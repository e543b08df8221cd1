import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { hostKeyFailure } from '../../src/remote/host-key-failure.ts';
import { hostKeyAlgorithms, judgeHostKey, keyFingerprint, readKnownHosts } from '../../src/remote/known-hosts.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const { test } = requires('ssh-keygen');

type KeyType = 'ed25519' | 'ecdsa' | 'rsa';
const made = new Map<string, string>();

/** `ssh-ed25519 AAAA…`; the same for the same name. */
function publicKey(name: string, type: KeyType = 'ed25519'): string {
  const known = made.get(name);
  if (known !== undefined) return known;
  const path = join(temporaryDirectory(), 'key');
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', path]);
  const text = readFileSync(`${path}.pub`, 'utf8').split(' ').slice(0, 2).join(' ');
  made.set(name, text);
  return text;
}

function blob(key: string): Buffer {
  return Buffer.from(key.split(' ')[1]!, 'base64');
}

/** As `readSshSettings` gives them. */
function namesOf(name: string): readonly string[] {
  return [name, ...(/^\[(.*)\]/.exec(name)?.slice(1) ?? [])];
}

function verdict(name: string, key: string, ...files: readonly string[]) {
  const directory = temporaryDirectory();
  const paths = files.map((text, index) => {
    const path = join(directory, `known_hosts${index}`);
    writeFileSync(path, text);
    return path;
  });
  return judgeHostKey(namesOf(name), blob(key), readKnownHosts([...paths, join(directory, 'not there')]));
}

/** The same lines with hashed names, by ssh-keygen itself. */
function hashed(text: string): string {
  const path = join(temporaryDirectory(), 'known_hosts');
  writeFileSync(path, text);
  execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'ignore' });
  return readFileSync(path, 'utf8');
}

describe('known_hosts', () => {
  const key = () => publicKey('own');
  const other = () => publicKey('other');

  test('a plain line makes a key known', () => {
    expect(verdict('host.org', key(), `# comment\n\nhost.org,10.0.0.1 ${key()} words behind it\n`)).toEqual({
      kind: 'known',
    });
    expect(verdict('10.0.0.1', key(), `host.org,10.0.0.1 ${key()}\n`)).toEqual({ kind: 'known' });
  });

  test('a hashed line makes a key known, with a port too', () => {
    const text = hashed(`host.org ${key()}\n[host.org]:2222 ${other()}\n`);
    expect(text).toContain('|1|');
    expect(text).not.toContain('host.org');
    expect(verdict('host.org', key(), text)).toEqual({ kind: 'known' });
    expect(verdict('[host.org]:2222', other(), text)).toEqual({ kind: 'known' });
    expect(verdict('[host.org]:2222', key(), text).kind).toBe('changed');
    expect(verdict('[host.org]:2299', key(), text).kind).toBe('known');
    expect(verdict('[host.org]:2299', other(), text).kind).toBe('unknown');
    expect(verdict('elsewhere.org', key(), text).kind).toBe('unknown');
  });

  test('wildcards count, and a negated pattern excepts', () => {
    const text = `*.org,!bad.org,10.0.?.1 ${key()}\n`;
    expect(verdict('a.b.org', key(), text).kind).toBe('known');
    expect(verdict('10.0.7.1', key(), text).kind).toBe('known');
    expect(verdict('bad.org', key(), text).kind).toBe('unknown');
  });

  test('a line of the bare host counts for another port that has none, and another key there is no change', () => {
    const at = '[host.org]:2222';
    expect(verdict(at, key(), `host.org ${key()}\n`).kind).toBe('known');
    expect(verdict(at, key(), `*.org,10.0.0.1 ${key()}\n`).kind).toBe('known');
    expect(verdict(at, key(), `host.org ${other()}\n`).kind).toBe('unknown');
    expect(verdict(at, key(), `[host.org]:2222 ${key()}\nhost.org ${other()}\n`).kind).toBe('known');
    expect(verdict(at, key(), `[host.org]:2222 ${other()}\nhost.org ${key()}\n`).kind).toBe('changed');
    expect(verdict(at, key(), `[*.org]:2222 ${key()}\n`).kind).toBe('known');
    expect(verdict('host.org', key(), `[host.org]:2222 ${key()}\n`).kind).toBe('unknown');
  });

  test('a revoked key is refused at every port, whichever form names the host', () => {
    const at = '[host.org]:2222';
    expect(verdict(at, key(), `host.org ${key()}\n@revoked [host.org]:2222 ${key()}\n`).kind).toBe('revoked');
    expect(verdict(at, key(), `[host.org]:2222 ${key()}\n@revoked host.org ${key()}\n`).kind).toBe('revoked');
    expect(
      verdict(at, key(), hashed(`[host.org]:2222 ${key()}\nhost.org ${key()}\n`).replace(/\n/, '\n@revoked ')).kind,
    ).toBe('revoked');
  });

  test('an authority counts in both forms, and beside plain keys', () => {
    const at = '[host.org]:2222';
    expect(verdict(at, key(), `@cert-authority host.org ${other()}\n`)).toMatchObject({ authority: { line: 1 } });
    expect(verdict(at, key(), `[host.org]:2222 ${other()}\n@cert-authority *.org ${other()}\n`)).toMatchObject({
      kind: 'changed',
      authority: { line: 2 },
    });
  });

  test('ends of lines, blanks and comments are read as OpenSSH does; a key that was cut is passed over', () => {
    const cut = key().slice(0, -8);
    expect(verdict('host.org', key(), `\t host.org\t\t${key()}\r\n`).kind).toBe('known');
    expect(verdict('host.org', key(), `# host.org ${other()}\r\nhost.org ${key()} a b\r\n`).kind).toBe('known');
    expect(verdict('host.org', key(), `host.org ${cut}\n`).kind).toBe('unknown');
    expect(verdict('host.org', key(), `host.org ${cut}\nhost.org ${key()}`).kind).toBe('known');
  });

  test('names are compared without regard to case', () => {
    expect(verdict('host.org', key(), `HOST.org ${key()}\n`).kind).toBe('known');
  });

  test('another key is a changed one, told with file and line', () => {
    expect(verdict('host.org', key(), `# one\nhost.org ${other()}\n`)).toMatchObject({
      kind: 'changed',
      known: { line: 2, file: expect.stringMatching(/known_hosts0$/) },
    });
  });

  test('several keys of one host are all known, over several files', () => {
    expect(verdict('host.org', key(), `host.org ${other()}\n`, `host.org ${key()}\n`).kind).toBe('known');
  });

  test('a revoked key is refused even where another line knows it', () => {
    const text = `host.org ${key()}\n@revoked * ${key()}\n`;
    expect(verdict('host.org', key(), text)).toMatchObject({ kind: 'revoked', known: { line: 2 } });
    expect(verdict('host.org', other(), `host.org ${other()}\n@revoked * ${key()}\n`).kind).toBe('known');
  });

  test('the key of a certificate authority is no host key', () => {
    const text = `@cert-authority *.org ${key()}\n`;
    expect(verdict('host.org', key(), text)).toMatchObject({ kind: 'unknown', authority: { line: 1 } });
    expect(verdict('host.org', other(), text)).toMatchObject({ kind: 'unknown', authority: { line: 1 } });
  });

  test('lines that are none are passed over', () => {
    const broken = `host.org\nhost.org ssh-ed25519\nhost.org ssh-rsa ${key().split(' ')[1]}\n@odd host.org ${key()}\n|1|x ${key()}\n`;
    expect(verdict('host.org', key(), broken).kind).toBe('unknown');
  });

  test('algorithms of keys that are known come first', () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'known_hosts');
    writeFileSync(file, `host.org ${publicKey('rsa', 'rsa')}\nother.org ${publicKey('ecdsa', 'ecdsa')}\n`);
    const lines = readKnownHosts([file]);
    expect(hostKeyAlgorithms(['host.org'], lines).slice(0, 3)).toEqual(['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519']);
    expect(hostKeyAlgorithms(['other.org'], lines)[0]).toBe('ecdsa-sha2-nistp256');
    expect(hostKeyAlgorithms(['new.org'], lines)[0]).toBe('ssh-ed25519');
    expect(hostKeyAlgorithms(['host.org'], lines)).not.toContain('ssh-rsa');
  });

  test('a fingerprint is what ssh-keygen shows', () => {
    const path = join(temporaryDirectory(), 'key.pub');
    writeFileSync(path, `${key()}\n`);
    expect(execFileSync('ssh-keygen', ['-lf', path], { encoding: 'utf8' })).toContain(keyFingerprint(blob(key())));
  });

  test('every refusal names the key and what to do', () => {
    const shown = {
      name: '[host.org]:2222',
      named: 'host.org',
      port: 2222,
      key: blob(key()),
      knownHostsFile: '/home/me/.ssh/known_hosts',
    };
    const changed = hostKeyFailure(verdict('[host.org]:2222', key(), `[host.org]:2222 ${other()}\n`), shown);
    expect(changed).toMatchObject({ code: 'authentication-failed', hint: expect.stringContaining('ssh-keygen -R') });
    expect(changed?.message).toMatch(/known_hosts0:1 .*SHA256:.*another one, ssh-ed25519 SHA256:/);
    const unknown = hostKeyFailure({ kind: 'unknown', authority: undefined }, shown);
    expect(unknown?.message).toContain(keyFingerprint(blob(key())));
    expect(unknown?.hint).toContain('ssh-keyscan -p 2222 host.org');
    expect(hostKeyFailure({ kind: 'known' }, shown)).toBeUndefined();
  });
});
