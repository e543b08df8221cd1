import { parseServedName } from '../../src/binhost/served-names.ts';
import { binhostLocationFault } from '../../src/config/binhost-location.ts';
import { parseBytes, parseDurationMs } from '../../src/config/quantities.ts';
import { likeliestReading, readingsOfAtom } from '../../src/definition/atom.ts';
import { licenseProblems } from '../../src/definition/lint/license-expression.ts';
import { parseStopSignal } from '../../src/definition/stop-signal.ts';
import { parseWantedVersion } from '../../src/definition/wanted-version.ts';
import { classifyLocation } from '../../src/discover/classify-location.ts';
import { isGitRef } from '../../src/discover/git-ref.ts';
import { parseDiscovery } from '../../src/discover/parse-discovery.ts';
import { webAddressFault } from '../../src/discover/web-address.ts';
import { didYouMean } from '../../src/document/closest-name.ts';
import { resolveInside } from '../../src/document/resolve-inside.ts';
import { guessFromLocation, guessFromStem } from '../../src/draft/guess-source.ts';
import { spdxLicense } from '../../src/draft/import/spdx-license.ts';
import { compareLibraryNames } from '../../src/image/ld-so-cache.ts';
import { licenseText, parseLicense } from '../../src/image/license-expression.ts';
import { excludeGlob } from '../../src/model/exclude-glob.ts';
import { pathGlob } from '../../src/model/path-glob.ts';
import { isArtefactName, isArtefactVersion, parseArtefactPurl } from '../../src/model/registry.ts';
import { readSshLocation } from '../../src/model/ssh-location.ts';
import { upstreamOfDebianVersion, versionOfTag } from '../../src/model/upstream-version.ts';
import { compareVersions, versionOrder } from '../../src/model/version-order.ts';
import { foreignOperand, parseRange, rangeAllows } from '../../src/model/version-range.ts';
import { VERSION_SCHEMES } from '../../src/model/version-scheme.ts';
import { parseImageName } from '../../src/publish/image-name.ts';
import { parseOutput } from '../../src/publish/parse-output.ts';
import { shownUrl } from '../../src/system/http-failure.ts';
import { behind, COMMON, type HostileReader, nested, type Pattern, repeated } from './hostile-reader.ts';
import { scratch } from './scratch.ts';

const GLOBS: readonly Pattern[] = [
  ...[
    '*',
    '**',
    '**/',
    '*/',
    '?',
    '[a-z]',
    '[!a]',
    '[',
    '{a,b}',
    '{',
    '{a,',
    '\\*',
    '*a',
    '*?',
    '[a-',
    '{}',
    'a/**/',
    '{,}',
  ].map((unit) => repeated(unit)),
  nested('{a,', '}'),
  nested('{', '}'),
  ...behind('{'),
  ...behind('['),
  repeated('{a,b}', { before: '**/' }),
  repeated('*a', { after: 'b' }),
  repeated('**/a/', { after: 'b' }),
];

const VERSIONS: readonly Pattern[] = [
  ...[
    '1.',
    '1-',
    '1~',
    '1+',
    '0',
    '9',
    '1a',
    '1_p',
    '_alpha',
    '-r1',
    '1:',
    '.',
    '~',
    '1.0-',
    'v1.',
    '1-rc',
    'rc',
    'a.',
    'A-',
  ].map((unit) => repeated(unit)),
  ...behind('1'),
  ...behind('1.0-'),
  ...behind('1:1'),
];

/** Words of documents, which are at most as large. */
const MOST_WORD = 512 * 1024;

function wordReader(name: string, patterns: readonly Pattern[], feed: (text: string) => unknown): HostileReader {
  return {
    name,
    mostBytes: MOST_WORD,
    patterns: [...COMMON, ...patterns],
    feed: (bytes) => feed(bytes.toString('latin1')),
  };
}

const ADDRESSES = [
  'https://',
  'https://a/',
  'https://a:',
  'https://u:p@',
  'git+https://a/',
  'ssh://a@b/',
  'https://[',
  'a:',
  'a@b:',
  'http://localhost/',
  './',
].flatMap((before) => behind(before));

/** Against paths that are as hard as a pattern can be. */
const PATHS = ['a'.repeat(255), `${'a/'.repeat(2000)}a`, `${'a'.repeat(200)}/`.repeat(19), 'ab'.repeat(2000)];

export const WORD_READERS: readonly HostileReader[] = [
  wordReader('glob of paths', GLOBS, (text) => PATHS.map((path) => pathGlob(text)?.(path))),
  wordReader('glob of what is left out', GLOBS, (text) => PATHS.map((path) => excludeGlob(text)?.(path))),
  wordReader('path against a glob', [], (text) => {
    for (const pattern of [
      '**/*a*b*c*',
      '**/a/**/b/**/c',
      '*?*?*?x',
      '{a,b,c,d}/**',
      `${'*a'.repeat(100)}b`,
      '**/[!a]/**/**/x',
    ]) {
      pathGlob(pattern)!(text);
    }
  }),
  wordReader(
    'atom',
    [
      ...behind('a/b'),
      ...behind('a/b-1'),
      ...behind('debian/'),
      repeated('-1', { before: 'a/b' }),
      repeated('>=1,', { before: 'a/b' }),
    ],
    (text) => likeliestReading(readingsOfAtom(text)),
  ),
  wordReader('range of versions', [...behind('>=1'), ...behind('~'), repeated('>=1,'), repeated('1,')], (text) => {
    const range = parseRange(text);
    if (range === undefined) return parseWantedVersion(text);
    return VERSION_SCHEMES.map((scheme) => [foreignOperand(range, scheme), rangeAllows(range, text, scheme)]);
  }),
  ...VERSION_SCHEMES.map((scheme) =>
    wordReader(`version, ordered as ${scheme} does`, VERSIONS, (text) => {
      const order = versionOrder(scheme);
      return [compareVersions(text, `${text}1`, scheme), order.isVersion(text), order.isOperand(text)];
    }),
  ),
  wordReader('version of a tag', [...VERSIONS, ...behind('v1')], (text) => [
    versionOfTag(text),
    versionOfTag(text, 'a'),
    upstreamOfDebianVersion(text),
  ]),
  wordReader(
    'license expression',
    [
      nested('(', ')'),
      nested('(MIT OR ', ')'),
      ...['MIT AND ', '(MIT) AND ', 'A WITH B OR ', 'MIT ', '(', 'a+ OR '].map((unit) => repeated(unit)),
      repeated((index) => `L${index} OR `, { after: 'MIT' }),
    ],
    (text) => {
      const license = parseLicense(text);
      return [license === undefined ? '' : licenseText(license), licenseProblems(text), spdxLicense(text)];
    },
  ),
  wordReader('stop signal, duration and size', [repeated('9', { after: 's' }), repeated('RTMIN+')], (text) => [
    parseStopSignal(text),
    parseDurationMs(text),
    parseBytes(text),
  ]),
  wordReader('location of a binhost', ADDRESSES, (text) =>
    (['ssh', 'file', 'https', 'http'] as const).map((type) => binhostLocationFault(type, text)),
  ),
  wordReader('location over SSH', ADDRESSES, (text) => readSshLocation(text)),
  wordReader('location to be discovered', ADDRESSES, (text) => classifyLocation(text)),
  wordReader('address on the web', ADDRESSES, (text) => [
    webAddressFault(text, { allowThisMachine: false }),
    shownUrl(text),
  ]),
  wordReader('what pull is asked for', [...behind('a,ref='), repeated('a,ref=b,')], (text) => parseDiscovery(text)),
  wordReader('reference of git', [], (text) => isGitRef(text)),
  wordReader('name that a server is asked by', [...behind('a:'), ...behind('[')], (text) => parseServedName(text)),
  wordReader('name of an image', [...behind('a/b:'), ...behind('a@')], (text) => parseImageName(text, 'a')),
  wordReader('output', [...behind('type=oci,dest='), repeated('type=oci,')], (text) => parseOutput(text, '/a')),
  wordReader('name of a source archive', [...behind('a-1'), ...VERSIONS], (text) => [
    guessFromStem(text),
    guessFromLocation(`https://a/${text}.tar.gz`),
  ]),
  wordReader('name that may be misspelt', [], (text) =>
    didYouMean(text, ['configure', 'build', 'install', text.slice(1)]),
  ),
  wordReader('path inside a directory', [], (text) => resolveInside(scratch, `a/${text.replaceAll(/[^a-z]+/g, 'x')}`)),
  wordReader('name of a library', VERSIONS, (text) => compareLibraryNames(text, `${text}1`)),
  wordReader(
    'package URL',
    [...behind('pkg:cargo/'), ...behind('pkg:npm/%40a/b@1'), ...behind('pkg:golang/a@v1')],
    (text) => [
      parseArtefactPurl(text),
      ...(['cargo', 'go', 'npm', 'python'] as const).map((one) => [
        isArtefactName(one, text),
        isArtefactVersion(one, text),
      ]),
    ],
  ),
];
