import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseDeb822Sources, parseOneLineSources, readAptSources } from '../../src/debian/apt-sources.ts';
import { archivePlaces } from '../../src/debian/archive-places.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('sources in one line', () => {
  test.each([
    ['deb http://mirror.example/debian bookworm main', 'http://mirror.example/debian', 'bookworm'],
    [
      'deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/debian/ bookworm main',
      'https://mirror.example/debian',
      'bookworm',
    ],
    ['deb-src http://mirror.example/debian sid main # comment', 'http://mirror.example/debian', 'sid'],
    [
      '  deb\thttp://user:secret@mirror.example/debian bookworm main',
      'http://user:secret@mirror.example/debian',
      'bookworm',
    ],
  ])('%s', (line, root, suite) => {
    expect(parseOneLineSources(line)).toEqual([{ root, suites: [suite] }]);
  });

  test.each([
    '# deb http://mirror.example/debian bookworm main',
    'deb cdrom:[Debian]/ bookworm main',
    'deb file:/srv/debian bookworm main',
    'deb http://mirror.example/flat ./',
    'deb http://mirror.example/debian?x bookworm main',
    'rpm http://mirror.example/debian bookworm main',
    'deb nonsense',
    '',
  ])('passes over "%s"', (line) => {
    expect(parseOneLineSources(line)).toEqual([]);
  });
});

describe('sources in stanzas', () => {
  test('read several URIs and suites, over several lines', () => {
    const text = `Types: deb deb-src
URIs: http://one.example/debian
 http://two.example/debian
# a comment
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Enabled: no
`;
    const suites = ['bookworm', 'bookworm-updates'];
    expect(parseDeb822Sources(text)).toEqual([
      { root: 'http://one.example/debian', suites },
      { root: 'http://two.example/debian', suites },
    ]);
  });
});

describe('archivePlaces', () => {
  function aptDirectory(files: Readonly<Record<string, string>>): string {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'sources.list.d'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return directory;
  }

  const files = {
    'sources.list': 'deb http://trixie.example/debian trixie main\n',
    'sources.list.d/a.list': 'deb http://ubuntu.example/ubuntu noble main\n',
    'sources.list.d/b.sources':
      'Types: deb\nURIs: http://bookworm.example/debian\nSuites: bookworm\n\nTypes: deb\nURIs: http://security.example/debian-security\nSuites: bookworm-security\n',
    'sources.list.d/c.sources.disabled': 'Types: deb\nURIs: http://disabled.example/debian\nSuites: bookworm\n',
  };
  const asOf = Date.parse('2026-07-11T10:16:37Z');
  const places = (suite: string, mirror?: string) =>
    archivePlaces(suite, { debian: { mirror } }, asOf, { aptDirectory: aptDirectory(files) }).map(({ root }) => root);

  test('are the mirror, the apt sources that name the suite, other Debian ones, then the snapshot service', () => {
    expect(places('bookworm', 'http://mirror.example/debian/')).toEqual([
      'http://mirror.example/debian',
      'http://bookworm.example/debian',
      'http://trixie.example/debian',
      'https://snapshot.debian.org/archive/debian/20260711T101637Z',
    ]);
  });

  test('look for security suites in security archives', () => {
    expect(places('bookworm-security', 'http://mirror.example/debian')).toEqual([
      'http://mirror.example/debian-security',
      'http://mirror.example/debian',
      'http://security.example/debian-security',
      'https://snapshot.debian.org/archive/debian-security/20260711T101637Z',
    ]);
  });

  test('a mirror may itself be a snapshot', () => {
    expect(places('bookworm-security', 'https://snapshot.debian.org/archive/debian/20260101T000000Z')[0]).toBe(
      'https://snapshot.debian.org/archive/debian-security/20260101T000000Z',
    );
  });

  test.each(['ftp://mirror.example/debian', 'mirror.example/debian', '/srv/debian', ''])(
    '%j is no mirror',
    (mirror) => {
      expect(() => places('bookworm', mirror)).toThrow(expect.objectContaining({ code: 'configuration-invalid' }));
    },
  );

  test('a host without apt has none of its own', () => {
    expect(readAptSources(join(temporaryDirectory(), 'absent'))).toEqual([]);
  });
});
