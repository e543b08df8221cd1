import { describe, expect, test } from 'vitest';
import { parseRelease, requireSuite } from '../../src/debian/release.ts';
import { sha256 } from '../../src/model/digest.ts';
import { releaseText } from './own-archive.ts';

const index = Buffer.from('index');
const files = { 'main/binary-amd64/Packages.xz': index };
const at = Date.parse('2026-02-01');

describe('parseRelease', () => {
  test('reads names, dates and the table of files', () => {
    const release = parseRelease(
      releaseText(files, { validUntil: 'Thu, 08 Jan 2026 00:00:00 UTC', byHash: true }),
      'R',
    );
    expect(release).toMatchObject({
      suite: 'stable',
      codename: 'own',
      dateMs: Date.parse('2026-01-01'),
      validUntilMs: Date.parse('2026-01-08'),
      byHash: true,
    });
    expect([...release.files]).toEqual([
      ['main/binary-amd64/Packages.xz', { size: index.length, sha256: sha256(index) }],
    ]);
  });

  test.each([
    ['no date', releaseText(files).replace(/Date.*\n/, '')],
    ['a date in words', releaseText(files, { date: 'yesterday' })],
    ['a date in another zone', releaseText(files, { date: 'Thu, 01 Jan 2026 00:00:00 +0200' })],
    ['no table', releaseText(files).replace(/SHA256:[\s\S]*/, '')],
    ['a path upwards', releaseText({ '../../etc/passwd': index })],
    ['an absolute path', releaseText({ '/etc/passwd': index })],
    ['a path twice', `${releaseText(files)} ${sha256('x')} 1 main/binary-amd64/Packages.xz\n`],
    ['a short digest', releaseText(files).replace(sha256(index), 'abc')],
    ['a field twice', `Suite: evil\n${releaseText(files)}`],
    ['a line without a field', `what is this\n${releaseText(files)}`],
    ['a negative size', releaseText(files).replace(` ${index.length} main`, ' -5 main')],
  ])('refuses %s', (_, text) => {
    expect(() => parseRelease(text, 'R')).toThrow(expect.objectContaining({ code: 'input-invalid' }));
  });
});

describe('requireSuite', () => {
  const release = parseRelease(releaseText(files, { validUntil: 'Sun, 01 Mar 2026 00:00:00 UTC' }), 'R');

  test('takes a suite by its suite name and by its code name', () => {
    requireSuite(release, 'stable', at, 'R');
    requireSuite(release, 'own', at, 'R');
  });

  test('refuses another suite', () => {
    expect(() => requireSuite(release, 'testing', at, 'R')).toThrow(/expected the index of testing, found that of own/);
  });

  test('refuses one whose time is over, by the time that counts', () => {
    const later = Date.parse('2026-03-02');
    expect(() => requireSuite(release, 'stable', later, 'R')).toThrow(
      expect.objectContaining({ code: 'signature-invalid' }),
    );
  });

  test('demands no end where none is given', () => {
    requireSuite(parseRelease(releaseText(files), 'R'), 'stable', Date.parse('2100-01-01'), 'R');
  });
});
