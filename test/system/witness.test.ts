import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createWitness, looksUnchanged, type Sighting, settledSighting, sight } from '../../src/system/witness.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const LONG_AGO = new Date('2026-01-01T00:00:00Z');

function oldFile(path: string, content: string): void {
  writeFileSync(path, content);
  utimesSync(path, LONG_AGO, LONG_AGO);
}

test('a file that nobody touched looks unchanged', () => {
  const path = join(temporaryDirectory(), 'file');
  oldFile(path, 'a');
  expect(looksUnchanged(sight(path))).toBe(true);
});

test.each<[string, (path: string) => void]>([
  ['written anew', (path) => writeFileSync(path, 'b')],
  ['longer', (path) => writeFileSync(path, 'ab')],
  ['gone', (path) => rmSync(path)],
  ['executable', (path) => chmodSync(path, 0o755)],
  [
    'replaced by another with the same time',
    (path) => {
      oldFile(`${path}.new`, 'b');
      renameSync(`${path}.new`, path);
    },
  ],
])('a file looks changed when it is %s', (_, change) => {
  const path = join(temporaryDirectory(), 'file');
  oldFile(path, 'a');
  const sighting = sight(path);
  change(path);
  expect(looksUnchanged(sighting)).toBe(false);
});

test('a path that was looked for in vain looks changed when something is there', () => {
  const path = join(temporaryDirectory(), 'absent');
  const sighting = sight(path);
  expect(sighting.seen).toBe('');
  expect(looksUnchanged(sighting)).toBe(true);
  writeFileSync(path, '');
  expect(looksUnchanged(sighting)).toBe(false);
});

test('a path below something that is no directory counts as absent', () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  expect(sight(join(file, 'below')).seen).toBe('');
});

test('a file that changed a moment ago is compared by content, for its times cannot tell a second change', () => {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, 'aaaa');
  const now = new Date();
  utimesSync(path, now, now);
  const sighting = sight(path);
  expect(sighting.sha256).toMatch(/^[0-9a-f]{64}$/);
  writeFileSync(path, 'bbbb');
  utimesSync(path, now, now);
  expect(sight(path).seen).toBe(sighting.seen);
  expect(looksUnchanged(sighting)).toBe(false);
});

test('a directory looks changed when a name in it comes or goes', () => {
  const directory = join(temporaryDirectory(), 'patches');
  mkdirSync(directory);
  utimesSync(directory, LONG_AGO, LONG_AGO);
  const sighting = sight(directory);
  expect(looksUnchanged(sighting)).toBe(true);
  writeFileSync(join(directory, 'one.patch'), '');
  expect(looksUnchanged(sighting)).toBe(false);
});

test('a witness keeps the first sight of what is read and the last sight of what is written', () => {
  const directory = temporaryDirectory();
  const [read, wrote] = [join(directory, 'read'), join(directory, 'wrote')];
  oldFile(read, 'a');
  const witness = createWitness();
  witness.read(read);
  witness.missing(wrote);
  writeFileSync(read, 'changed meanwhile');
  writeFileSync(wrote, 'result');
  witness.read(read);
  witness.wrote(wrote);
  const unchanged = Object.fromEntries(
    witness.sightings().map((sighting) => [sighting.path, looksUnchanged(sighting)]),
  );
  expect(unchanged).toEqual({ [read]: false, [wrote]: true });
});

test('a stored file may be used again and linked without looking changed, but not be replaced', () => {
  const path = join(temporaryDirectory(), 'blob');
  writeFileSync(path, 'bytes');
  const witness = createWitness();
  witness.stored(path);
  const [sighting] = witness.sightings() as [Sighting];
  utimesSync(path, LONG_AGO, LONG_AGO);
  linkSync(path, `${path}.link`);
  expect(looksUnchanged(sighting)).toBe(true);
  writeFileSync(`${path}.new`, 'bytes');
  renameSync(`${path}.new`, path);
  expect(looksUnchanged(sighting)).toBe(false);
});

test('a sighting needs no content once its times are old enough to tell', () => {
  const recent: Sighting = { path: '/x', seen: `1 2 ${BigInt(Date.now()) * 1_000_000n} 33188`, sha256: 'ab' };
  const old: Sighting = { path: '/x', seen: '1 2 1700000000000000000 33188', sha256: 'ab' };
  expect(settledSighting(recent)).toBe(recent);
  expect(settledSighting(old)).toEqual({ path: '/x', seen: old.seen });
});
