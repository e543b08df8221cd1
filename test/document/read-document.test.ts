import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDocument } from '../../src/document/read-document.ts';
import { plainValue } from '../../src/document/yaml-node.ts';
import { createWitness } from '../../src/system/witness.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const read = (directory: string, path = 'a.yaml') => readDocument(directory, path, { code: 'definition-invalid' });

async function withFile(content: string | Uint8Array): Promise<string> {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'a.yaml'), content);
  return directory;
}

/** Processor time: the clock also counts what other programs do meanwhile. */
function cpuMilliseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

describe('a file', () => {
  test('is read as YAML, and witnessed', async () => {
    const directory = await withFile('a: 1\n');
    const witness = createWitness();
    const root = await readDocument(directory, 'a.yaml', { code: 'definition-invalid', witness });
    expect(plainValue(root)).toEqual({ a: 1 });
    expect(witness.sightings().map(({ path }) => path)).toEqual([join(directory, 'a.yaml')]);
  });

  test('that is missing is a missing file, and witnessed as such', async () => {
    const directory = temporaryDirectory();
    const witness = createWitness();
    const reading = readDocument(directory, 'a.yaml', { code: 'definition-invalid', witness });
    await expect(reading).rejects.toMatchObject({ code: 'file-missing' });
    expect(witness.sightings()).toEqual([{ path: join(directory, 'a.yaml'), seen: '' }]);
  });

  test.each([
    ['a byte order mark', Buffer.from('\ufeffa: 1\n'), /found a byte order mark/, /without BOM/],
    ['UTF-16', Buffer.from('\ufeffa: 1\n', 'utf16le'), /found UTF-16/, /iconv -f UTF-16/],
    ['UTF-16 of the other order', Buffer.from('\ufeffa: 1\n', 'utf16le').swap16(), /found UTF-16/, /iconv/],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff]), /bytes that are not UTF-8/, undefined],
    ['a control character', Buffer.from('a: 1\nb: \x1b[2J\n'), /control character \\u001b/, undefined],
    ['NUL', Buffer.from('a: \0\n'), /control character \\u0000/, undefined],
  ])('with %s is refused with a place', async (_, bytes, message, hint) => {
    const error = await read(await withFile(bytes)).catch((reason) => reason);
    expect(error.message).toMatch(message);
    expect(error.position).toMatchObject({ line: bytes.includes(0x1b) ? 2 : 1, column: 1 });
    if (hint !== undefined) expect(error.hint).toMatch(hint);
  });

  test('of 50 MB is refused before it is read', async () => {
    const directory = await withFile('');
    truncateSync(join(directory, 'a.yaml'), 50_000_000);
    const started = process.cpuUsage();
    await expect(read(directory)).rejects.toThrow('expected at most 524288 bytes, found 50000000');
    expect(cpuMilliseconds(started)).toBeLessThan(1000);
  });

  test('that is a directory is refused', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'a.yaml'));
    await expect(read(directory)).rejects.toThrow('expected a regular file, found a directory');
  });

  requires('mkfifo').test('that is a pipe is refused without waiting for a writer', async () => {
    const directory = temporaryDirectory();
    spawnSync('mkfifo', [join(directory, 'a.yaml')]);
    await expect(read(directory)).rejects.toThrow('expected a regular file, found a device, a pipe or a socket');
  });

  test.each(['/dev/zero', '/etc/passwd', '../outside.yaml'])('that is a link to %s is refused', async (target) => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'inside'));
    writeFileSync(join(directory, 'outside.yaml'), 'secret: 1\n');
    symlinkSync(target, join(directory, 'inside/a.yaml'));
    const error = await read(join(directory, 'inside')).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'definition-invalid', position: { line: 1, column: 1 } });
    expect(error.message).toMatch(/found a link that leaves it$/);
  });

  test('that is a link inside its directory is read', async () => {
    const directory = await withFile('a: 1\n');
    symlinkSync('a.yaml', join(directory, 'b.yaml'));
    expect(plainValue(await read(directory, 'b.yaml'))).toEqual({ a: 1 });
  });

  test('that links to itself is refused', async () => {
    const directory = temporaryDirectory();
    symlinkSync('a.yaml', join(directory, 'a.yaml'));
    await expect(read(directory)).rejects.toMatchObject({ code: 'definition-invalid' });
  });
});

describe('memory', () => {
  test('stays below 256 MB for every bomb', () => {
    const directory = temporaryDirectory();
    const bombs = {
      'large.yaml': 'a: '.padEnd(50_000_000, 'b'),
      'deep.yaml': '['.repeat(500_000),
      'wide.yaml': '-\n'.repeat(260_000),
      'keys.yaml': Array.from({ length: 60_000 }, (_, i) => `k${i}:`).join('\n'),
      'brackets.yaml': ']'.repeat(500_000),
      'alias.yaml': `a: &a [x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: [${'*a, '.repeat(9)}]`).join('\n')}`,
    };
    for (const [name, text] of Object.entries(bombs)) writeFileSync(join(directory, name), text);
    symlinkSync('/dev/zero', join(directory, 'zero.yaml'));
    const program = `
      import { readDocument } from './src/document/read-document.ts';
      for (const name of ${JSON.stringify([...Object.keys(bombs), 'zero.yaml'])}) {
        const error = await readDocument(process.argv[1], name, { code: 'definition-invalid' }).catch((reason) => reason);
        if (error.code !== 'definition-invalid') throw new Error(name + ' was not refused: ' + error);
      }
      process.stdout.write(String(process.resourceUsage().maxRSS));
    `;
    const args = ['--import', 'tsx', '--input-type=module', '-e', program, '--', directory];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(Number(stdout) * 1024).toBeLessThan(256_000_000);
  });
});
