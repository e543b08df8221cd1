import { parseDeb822Sources, parseOneLineSources, readAptSources } from '../../src/debian/apt-sources.ts';
import { parseBuildRelations } from '../../src/debian/build-relations.ts';
import { parseControlStanza } from '../../src/debian/control-stanza.ts';
import { openDeb } from '../../src/debian/open-deb.ts';
import { parsePackageTable } from '../../src/debian/package-table.ts';
import { parsePackages } from '../../src/debian/parse-packages.ts';
import { parseRelations } from '../../src/debian/relations.ts';
import { parseRelease } from '../../src/debian/release.ts';
import { scriptEffects } from '../../src/debian/skipped-scripts.ts';
import { parseSourcePackages } from '../../src/debian/source-package.ts';
import { statusEntry } from '../../src/debian/status-entry.ts';
import { verifyInRelease } from '../../src/debian/verify-in-release.ts';
import { copyrightLicense } from '../../src/image/copyright-license.ts';
import { behind, COMMON, type HostileReader, type Pattern, repeated } from './hostile-reader.ts';

const SHA = 'a'.repeat(64);
const PACKAGE = `Package: a\nVersion: 1\nArchitecture: amd64\nFilename: pool/a.deb\nSize: 1\nSHA256: ${SHA}\n`;
const numbered = (index: number) => PACKAGE.replace('Package: a', `Package: a${index}`);

const STANZAS: readonly Pattern[] = [
  ...['A: b\n', 'A:\n', ' a\n', ' .\n', '\n\n', 'A: b\n\n', 'A:b\r\n', '-: a\n', ': a\n', PACKAGE, `${PACKAGE}\n`].map(
    (unit) => repeated(unit),
  ),
  repeated((index) => `F${index}: a\n`),
  repeated((index) => `F${index}: a\n`, { before: PACKAGE }),
  repeated(' a\n', { before: `${PACKAGE}Description:\n` }),
  repeated((index) => `${numbered(index)}\n`),
  repeated((index) => `${numbered(index)}Depends: a | b, c (>= 1)\n\n`),
  ...behind('A: '),
  ...behind(`${PACKAGE}Depends: `),
  ...behind(`${PACKAGE}Provides: `),
  ...behind(`${PACKAGE}Source: a (`),
  repeated('a, ', { before: `${PACKAGE}Depends: `, after: 'a\n' }),
  repeated('a (= 1) | ', { before: `${PACKAGE}Provides: `, after: 'a\n' }),
];

const RELATIONS: readonly Pattern[] = [
  ...[
    'a, ',
    'a | ',
    'a (>= 1), ',
    'a (',
    'a [',
    'a [!',
    'a <',
    'a <!nocheck> ',
    '<a>',
    'a:any, ',
    '| ',
    ', ',
    'a (>= ',
    'a [amd64 ',
  ].map((unit) => repeated(unit)),
  repeated((index) => `a${index} (>= 1) [amd64 !i386] <!nocheck> <!stage1 x> | b, `),
  ...['a (', 'a (>= ', 'a [', 'a <', 'a '].flatMap((before) => behind(before)),
  repeated(' amd64', { before: 'a [', after: ']' }),
  repeated('<!a> ', { before: 'a ' }),
];

const SIGNED = '-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n';
const SIGNATURE = '-----BEGIN PGP SIGNATURE-----\n\n';
const RELEASE = 'Suite: stable\nCodename: bookworm\nDate: Sat, 01 Jan 2022 00:00:00 UTC\nSHA256:\n';

const COPYRIGHT = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n';

/** ar(5): one member of a name and a size. */
const arMember = (name: string, size: number) =>
  `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(size).padEnd(10)}\`\n`;

const text =
  (feed: (text: string) => unknown): HostileReader['feed'] =>
  (bytes) =>
    feed(bytes.toString('latin1'));

export const DEBIAN_READERS: readonly HostileReader[] = [
  {
    name: 'stanza of a control file',
    patterns: [...COMMON, ...STANZAS],
    feed: text((one) => parseControlStanza(one, 'control')),
  },
  {
    name: 'index of packages',
    patterns: [...COMMON, ...STANZAS],
    feed: text((one) => parsePackages(one, 'Packages', 'amd64')),
  },
  {
    name: 'table of packages',
    patterns: [...COMMON, repeated('{}\n'), repeated('[]\n'), repeated('["a","1"]\n')],
    feed: text((one) => parsePackageTable(one)),
  },
  {
    name: 'index of sources',
    patterns: [
      ...COMMON,
      ...STANZAS,
      repeated(` ${SHA} 1 a\n`, { before: 'Package: a\nVersion: 1\nDirectory: pool/a\nChecksums-Sha256:\n' }),
      repeated('a, ', { before: 'Package: a\nVersion: 1\nDirectory: pool/a\nBinary: ' }),
    ],
    feed: text((one) => parseSourcePackages(one, 'Sources')),
  },
  {
    name: 'Release',
    patterns: [
      ...COMMON,
      ...STANZAS,
      repeated(` ${SHA} 1 a\n`, { before: RELEASE }),
      repeated((index) => ` ${SHA} 1 main/a${index}\n`, { before: RELEASE }),
      ...behind(RELEASE),
      ...behind('Suite: a\nDate: '),
    ],
    feed: text((one) => parseRelease(one, 'Release')),
  },
  {
    name: 'InRelease and its signature',
    patterns: [
      ...COMMON,
      ...behind(SIGNED),
      ...behind(`${SIGNED}a\n${SIGNATURE}`, '\n-----END PGP SIGNATURE-----\n'),
      repeated('- -----\n', { before: SIGNED, after: `${SIGNATURE}\n-----END PGP SIGNATURE-----\n` }),
      repeated('Hash: SHA256\n', {
        before: '-----BEGIN PGP SIGNED MESSAGE-----\n',
        after: `\n\na\n${SIGNATURE}\n-----END PGP SIGNATURE-----\n`,
      }),
      repeated('A: b\n', {
        before: `${SIGNED}a\n-----BEGIN PGP SIGNATURE-----\n`,
        after: '\n\n-----END PGP SIGNATURE-----\n',
      }),
      // A signature packet without content, and its like.
      ...['wgAA', 'iAAA', 'wsFc', 'AAAA', '////', 'owEB'].map((unit) =>
        repeated(`${unit.repeat(16)}\n`, {
          before: `${SIGNED}a\n${SIGNATURE}`,
          after: '=AAAA\n-----END PGP SIGNATURE-----\n',
        }),
      ),
      repeated(SIGNED),
      repeated(SIGNATURE, { before: SIGNED }),
    ],
    feed: (bytes) => verifyInRelease(bytes, [], 'InRelease'),
  },
  { name: 'relations of packages', patterns: [...COMMON, ...RELATIONS], feed: text((one) => parseRelations(one)) },
  {
    name: 'relations of a source package',
    patterns: [...COMMON, ...RELATIONS],
    feed: text((one) => parseBuildRelations(one, 'amd64')),
  },
  {
    name: "sources of the host's apt",
    patterns: [
      ...COMMON,
      ...STANZAS,
      ...behind('deb '),
      ...behind('deb ['),
      ...behind('deb [a] https://a/ '),
      repeated('deb https://a/ b c\n'),
      repeated('deb [', {}),
      repeated('URIs: https://a/\nSuites: b\n\n'),
      repeated('https://a/ ', { before: 'Suites: a\nURIs: ' }),
      repeated(' \n'),
    ],
    feed: text((one) => [parseOneLineSources(one), parseDeb822Sources(one), readAptSources('/nonexistent')]),
  },
  {
    name: 'entry of the status of dpkg',
    patterns: [...COMMON, ...STANZAS],
    feed: (bytes) => statusEntry(bytes, 'a.deb'),
  },
  {
    name: 'scripts of a package',
    patterns: [
      ...COMMON,
      repeated('\\\n'),
      repeated('update-alternatives '),
      repeated('update-alternatives --install '),
      repeated('update-alternatives --install /usr/bin/x x /y 1\n'),
      repeated('adduser a\n'),
      repeated('mkdir -p /var/a ; '),
      repeated('echo '),
      repeated('install -d '),
      repeated('update-alternatives --install ', { before: 'x ' }),
      repeated('phpenmod a\n'),
    ],
    feed: text((one) => scriptEffects(one)),
  },
  {
    name: 'copyright file',
    patterns: [
      ...COMMON,
      ...behind(COPYRIGHT),
      ...behind(`${COPYRIGHT}Files: *\nLicense: `),
      repeated('Files: *\nLicense: MIT\n\n', { before: COPYRIGHT }),
      repeated((index) => `Files: *\nLicense: L${index}\n\n`, { before: COPYRIGHT }),
      repeated((index) => `Files: *\nLicense: MIT and L${index} or GPL-2+\n\n`, { before: COPYRIGHT }),
      repeated('MIT or ', { before: `${COPYRIGHT}Files: *\nLicense: `, after: 'MIT\n' }),
      repeated('MIT, and ', { before: `${COPYRIGHT}Files: *\nLicense: `, after: 'MIT\n' }),
      repeated('GPL-2+ with a exception or ', { before: `${COPYRIGHT}Files: *\nLicense: `, after: 'MIT\n' }),
      repeated(' a\n', { before: `${COPYRIGHT}License: MIT\n` }),
      repeated('(', { before: `${COPYRIGHT}Files: *\nLicense: `, after: '\n' }),
    ],
    feed: (bytes) => copyrightLicense(bytes),
  },
  {
    name: 'binary package of Debian',
    patterns: [
      ...COMMON.slice(0, 20),
      ...behind('!<arch>\n'),
      ...behind(`!<arch>\n${arMember('debian-binary', 4)}2.0\n`),
      repeated(arMember('debian-binary', 0), { before: '!<arch>\n' }),
      repeated('\0', { before: `!<arch>\n${arMember('debian-binary', 4)}2.0\n${arMember('control.tar', 900_000)}` }),
      repeated('\0', {
        before: `!<arch>\n${arMember('debian-binary', 4)}2.0\n${arMember('control.tar', 0)}${arMember('data.tar', 900_000)}`,
      }),
      repeated('9', { before: `!<arch>\n${arMember('debian-binary', 4)}2.` }),
    ],
    async feed(bytes) {
      const deb = await openDeb(inChunks(bytes, 4096), 'a.deb');
      for await (const _ of deb.data.bytes);
      await deb.close();
    },
  },
];

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
