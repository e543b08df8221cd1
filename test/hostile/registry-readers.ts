import { readDiscoveryTags } from '../../src/discover/discovery-tags.ts';
import { readGitTree } from '../../src/discover/git-tree.ts';
import { parseRevisionRange } from '../../src/discover/revision-range.ts';
import { scanMetaTags } from '../../src/discover/scan-meta-tags.ts';
import { findHostRegistry } from '../../src/registry/host-registries.ts';
import { readCargoLock } from '../../src/registry/read-cargo-lock.ts';
import { readGoSum } from '../../src/registry/read-go-sum.ts';
import { readPackageLock } from '../../src/registry/read-package-lock.ts';
import { readRequirements } from '../../src/registry/read-requirements.ts';
import { parseSimpleIndex } from '../../src/registry/simple-index.ts';
import { goModHash } from '../../src/registry/verify-artefact.ts';
import { behind, COMMON, type HostileReader, nested, repeated } from './hostile-reader.ts';
import { scratch, scratchFile } from './scratch.ts';

const SHA = 'a'.repeat(64);
const CRATE =
  '[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n';
const lock = (bytes: Buffer) => ({ text: bytes.toString('utf8'), name: 'lock' });

export const REGISTRY_READERS: readonly HostileReader[] = [
  {
    name: 'requirements.txt',
    patterns: [
      ...COMMON,
      ...[
        '\\\n',
        ' \\\n',
        'a==1\n',
        'a==1 --hash=',
        `a==1 --hash=sha256:${SHA}\n`,
        '--hash=sha256:a ',
        'a;b\n',
        'a[b]==1 ',
        '-r a\n',
        '--',
        'a ; python_version > "3"\n',
        ' #',
        'a-_.',
      ].map((unit) => repeated(unit)),
      ...['a==', 'a==1 ', 'a==1 --hash=sha256:', 'a[', 'a ;', '--index-url '].flatMap((before) => behind(before)),
      repeated((index) => `a${index}==1 --hash=sha256:${SHA}\n`),
      repeated(` \\\n --hash=sha256:${SHA}`, { before: 'a==1' }),
      repeated((index) => ` --hash=sha256:${String(index).padStart(64, 'a')}`, { before: 'a==1' }),
      repeated('-_.', { before: 'a', after: '==1\n' }),
    ],
    feed: (bytes) => readRequirements(lock(bytes)),
  },
  {
    name: 'simple index of Python',
    patterns: [
      ...COMMON,
      ...[
        '<a',
        '<a ',
        '<a href="',
        '<a href="a">',
        '<a href="a">a</a>',
        '<!--',
        '-->',
        '<A HREF=',
        '<a href',
        '<a\n',
        '&amp;',
        '&',
        "<a href='a' ",
        '<a x="',
        '</a>',
      ].map((unit) => repeated(unit)),
      ...['<a ', '<a href="', '<a href="a"', '<a href="a">', '<!--', '<a href='].flatMap((before) => behind(before)),
      repeated((index) => `<a href="../a-${index}.tar.gz#sha256=${SHA}">a-${index}.tar.gz</a>\n`),
      repeated('&#38;', { before: '<a href="', after: '">a</a>' }),
      repeated('../', { before: '<a href="', after: 'a.tar.gz">a</a>' }),
      repeated((index) => `{"filename":"a-${index}.tar.gz","url":"a","hashes":{}},`, {
        before: '{"files":[',
        after: '{}]}',
      }),
      repeated('{},', { before: '{"files":[', after: '{}]}' }),
      nested('[', ']', { before: '{"files":', after: '}' }),
    ],
    feed: (bytes) => parseSimpleIndex(bytes.toString('utf8'), 'https://pypi.org/simple/a/'),
  },
  {
    name: 'Cargo.lock',
    patterns: [
      ...COMMON,
      ...[
        '[[package]]\n',
        '[[',
        '[a]\n',
        'a = "b"\n',
        'a = [\n',
        '"a",\n',
        CRATE,
        '[metadata]\n',
        '"\\u0041"',
        'a = "\\',
      ].map((unit) => repeated(unit)),
      ...[
        CRATE,
        `${CRATE}checksum = "`,
        '[[package]]\nname = "',
        '[[package]]\ndependencies = [\n',
        '[metadata]\n',
        '[[package]]\nname =',
      ].flatMap((before) => behind(before)),
      repeated((index) => `${CRATE.replace('"a"', `"a${index}"`)}checksum = "${SHA}"\n\n`),
      repeated((index) => `${CRATE.replace('https://', `https://r${index}.`)}checksum = "${SHA}"\n\n`),
      repeated(
        (index) => `"checksum a${index} 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)" = "${SHA}"\n`,
        { before: `${CRATE}[metadata]\n` },
      ),
      repeated(' "a",\n', { before: '[[package]]\ndependencies = [\n', after: ']\n' }),
    ],
    feed: (bytes) => readCargoLock(lock(bytes)),
  },
  {
    name: 'go.sum and go.mod',
    patterns: [
      ...COMMON,
      ...['a v1 h1:', 'a v1 h1:a=\n', 'a v1/go.mod h1:a=\n', 'v1 '].map((unit) => repeated(unit)),
      ...['a/b v1.0.0 h1:', 'a/b v1.0.0', 'a/b '].flatMap((before) => behind(before)),
      repeated(
        (index) =>
          `example.org/a${index} v1.0.0 h1:${'a'.repeat(43)}=\nexample.org/a${index} v1.0.0/go.mod h1:${'a'.repeat(43)}=\n`,
      ),
    ],
    feed: (bytes) => [goModHash(bytes), readGoSum(lock(bytes))],
  },
  {
    name: 'package-lock.json',
    patterns: [
      ...COMMON.slice(0, 20),
      nested('[', ']'),
      nested('{"packages":', '}'),
      repeated((index) => `"node_modules/a${index}":{"version":"1.0.0","integrity":"sha512-${'a'.repeat(86)}=="},`, {
        before: '{"packages":{',
        after: '"":{}}}',
      }),
      repeated((index) => `"a${index}":{"link":true},`, { before: '{"packages":{', after: '"":{}}}' }),
      repeated('node_modules/', { before: '{"packages":{"', after: 'a":{"version":"1.0.0"}}}' }),
      repeated('a/', { before: '{"packages":{"node_modules/', after: '":{"version":"1.0.0"}}}' }),
      ...[' ', 'sha512-', 'sha1-a ', 'sha512-a '].map((unit) =>
        repeated(unit, { before: '{"packages":{"node_modules/a":{"version":"1.0.0","integrity":"', after: '"}}}' }),
      ),
    ],
    feed: (bytes) => readPackageLock(lock(bytes)),
  },
  {
    name: 'configuration of registries',
    patterns: [
      ...COMMON,
      ...[
        'registry=https://a/\n',
        'index-url = a\n',
        '[global]\n',
        '[source.crates-io]\n',
        'replace-with = "a"\n',
        '[source.a]\nregistry = "https://a/"\n',
      ].map((unit) => repeated(unit)),
      ...['registry=', 'index-url =', 'index-url = "', '[source.crates-io]\nreplace-with = "', 'GOPROXY='].flatMap(
        (before) => behind(before),
      ),
      repeated('https://a/,', { before: 'GOPROXY=' }),
    ],
    async feed(bytes) {
      for (const name of ['.npmrc', '.config/pip/pip.conf', '.config/go/env', '.cargo/config.toml'])
        scratchFile(name, bytes);
      const host = { environment: {}, home: scratch, etc: '/nonexistent', asks: false };
      for (const one of ['npm', 'go', 'python', 'cargo'] as const) await findHostRegistry(one, host);
    },
  },
  {
    name: 'meta tags of a page',
    patterns: [
      ...COMMON,
      ...[
        '<meta ',
        '<meta name="a" content="b">',
        '<!--',
        '<!-- -->',
        '<script>',
        '<script></script>',
        '</script',
        '<title>',
        '<meta a=',
        '<meta a="',
        '<html>',
        '<!',
        '<?',
        '<link>',
        '<meta name=buildit content="a b c">',
        "<meta a='b' ",
      ].map((unit) => repeated(unit)),
      ...[
        '<meta ',
        '<meta name="',
        '<meta name="a" content="',
        '<script>',
        '<!--',
        '<title>',
        '<meta a',
        '<meta a=',
      ].flatMap((before) => behind(before)),
      repeated((index) => `a${index}=b `, { before: '<meta ' }),
      repeated('</scrip', { before: '<script>' }),
      repeated('</script ', { before: '<script>' }),
      repeated((index) => `<link a${index}=b>`, { before: '<head>' }),
    ],
    feed: (bytes) => readDiscoveryTags(scanMetaTags(bytes.toString('utf8')), 'a.org/b', { allowThisMachine: false }),
  },
  {
    name: 'list of a tree of git',
    patterns: [
      ...COMMON.slice(0, 20),
      repeated((index) => `100644 blob ${'a'.repeat(40)}       1\ta${String(index).padStart(7, '0')}\0`),
      repeated((index) => `100644 blob ${'a'.repeat(40)}       1\t${'d/'.repeat(60)}a${index}\0`),
      repeated((index) => `100644 blob ${'a'.repeat(40)}       1\td${index}/${'d/'.repeat(60)}a\0`),
      repeated((index) => `160000 commit ${'a'.repeat(40)}       -\ta${index}\0`),
      ...behind(`100644 blob ${'a'.repeat(40)} `),
      ...behind(`100644 blob ${'a'.repeat(40)} 1\t`),
      repeated('a/', { before: `100644 blob ${'a'.repeat(40)} 1\t`, after: 'a\0' }),
    ],
    feed: (bytes) => readGitTree(bytes, 'a', { entries: 100_000, fileBytes: 2 ** 20, totalBytes: 2 ** 30 }),
  },
  {
    name: 'range of revisions',
    patterns: [...COMMON, repeated('a..b')],
    feed: (bytes) => parseRevisionRange(bytes.toString('latin1')),
  },
];
