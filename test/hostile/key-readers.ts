// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are texts of other languages
import { judgeHostKey, readKnownHosts } from '../../src/remote/known-hosts.ts';
import { matchesList, readSshConfig } from '../../src/remote/read-ssh-config.ts';
import { fieldReader } from '../../src/remote/sftp-packet.ts';
import { expandTokens } from '../../src/remote/ssh-tokens.ts';
import { parseAllowedSigners } from '../../src/signing/allowed-signers.ts';
import { decodePublicKey } from '../../src/signing/key-object.ts';
import { matchesPatternList } from '../../src/signing/match-pattern.ts';
import { parsePrivateKey } from '../../src/signing/private-key-text.ts';
import { parsePublicKey } from '../../src/signing/public-key-text.ts';
import { parseRevokedKeys } from '../../src/signing/revoked-keys.ts';
import { parseSignerTime } from '../../src/signing/signer-time.ts';
import { parseSshsig } from '../../src/signing/sshsig.ts';
import { behind, COMMON, type HostileReader, nested, type Pattern, repeated } from './hostile-reader.ts';
import { scratchFile } from './scratch.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';
const BEGIN = '-----BEGIN OPENSSH PRIVATE KEY-----\n';
const END = '\n-----END OPENSSH PRIVATE KEY-----\n';

const LINES: readonly Pattern[] = [
  ...[
    'a ',
    'a b c\n',
    `a ${KEY}\n`,
    `a@b ${KEY} x\n`,
    `a,b ${KEY}\n`,
    'a namespaces="',
    'cert-authority ',
    '"a" ',
    '*?',
    `* ${KEY}\n`,
  ].map((unit) => repeated(unit)),
  ...[
    'a ',
    'a namespaces="',
    'a valid-after="',
    `a ${KEY.slice(0, 12)}`,
    `a ${KEY}`,
    `a ${KEY} `,
    '"',
    'a ssh-rsa ',
  ].flatMap((before) => behind(before)),
  repeated((index) => `a${index}@b ${KEY}\n`),
  repeated('namespaces="a",', { before: 'a ', after: ` ${KEY}\n` }),
  repeated('a,', { before: 'a namespaces="', after: `" ${KEY}\n` }),
  repeated('!*a,', { after: ` ${KEY}\n` }),
  repeated('AAAA', { before: 'a ssh-rsa ', after: '\n' }),
];

const text =
  (feed: (text: string) => unknown): HostileReader['feed'] =>
  (bytes) =>
    feed(bytes.toString('latin1'));

export const KEY_READERS: readonly HostileReader[] = [
  {
    name: 'list of allowed signers',
    patterns: [...COMMON, ...LINES],
    feed: text((one) => parseAllowedSigners(one, 'signers')),
  },
  {
    name: 'list of revoked keys',
    patterns: [
      ...COMMON,
      ...LINES,
      repeated(`SHA256:${'a'.repeat(43)} # x\n`),
      repeated(`${KEY}\n`),
      ...behind(`${KEY} `),
      ...behind('SHA256:'),
    ],
    feed: text((one) => parseRevokedKeys(one, 'revoked')),
  },
  {
    name: 'public key',
    patterns: [...COMMON, ...behind('ssh-ed25519 '), ...behind(`${KEY} `), repeated('AAAA', { before: 'ssh-rsa ' })],
    feed: text((one) => parsePublicKey(one)),
  },
  {
    name: 'public key, its bytes',
    patterns: [
      ...COMMON.slice(0, 50),
      ...behind('\0\0\0\x07ssh-rsa\0\x0f\0\0'),
      repeated('\xff', { before: '\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01\0\0\x08\0' }),
      repeated('\0\0\0\0'),
    ],
    feed: (bytes) => decodePublicKey(bytes),
  },
  {
    name: 'signature of OpenSSH',
    patterns: [
      ...COMMON,
      ...behind('-----BEGIN SSH SIGNATURE-----\n', '\n-----END SSH SIGNATURE-----\n'),
      repeated('AAAA\n', { before: '-----BEGIN SSH SIGNATURE-----\n', after: '-----END SSH SIGNATURE-----\n' }),
      repeated('U1NIU0lH', { before: '-----BEGIN SSH SIGNATURE-----\n', after: '\n-----END SSH SIGNATURE-----\n' }),
      repeated('-----BEGIN SSH SIGNATURE-----\n'),
    ],
    feed: text((one) => parseSshsig(one)),
  },
  {
    name: 'private key',
    mostBytes: 64 * 1024,
    patterns: [
      ...COMMON,
      ...behind(BEGIN, END),
      repeated('AAAA\n', { before: BEGIN, after: END }),
      repeated('b3BlbnNzaC1rZXktdjEA', { before: BEGIN, after: END }),
      repeated(BEGIN),
      repeated('AAAA\n', { before: '-----BEGIN PRIVATE KEY-----\n', after: '-----END PRIVATE KEY-----\n' }),
    ],
    feed: text((one) => parsePrivateKey(one)),
  },
  { name: 'time of a signer', patterns: [...COMMON, ...behind('2024')], feed: text((one) => parseSignerTime(one)) },
  {
    name: 'patterns of names',
    mostBytes: 512 * 1024,
    patterns: [
      ...COMMON,
      ...['*?', '*a', '?', '!*', 'a*', '**', '*,'].map((unit) => repeated(unit)),
      repeated('*a', { after: 'b' }),
    ],
    feed: text((one) =>
      ['a'.repeat(250), 'host.example.org'].map((name) => [
        matchesPatternList(name, one.split(',')),
        matchesList(one.split(','), name),
      ]),
    ),
  },
  {
    name: 'known_hosts',
    patterns: [
      ...COMMON,
      ...LINES,
      ...[
        '@revoked ',
        '@cert-authority * ',
        '|1|a|b ',
        `|1|AAAA|AAAA ${KEY}\n`,
        `a,*b,!c ${KEY}\n`,
        `[a]:22 ${KEY}\n`,
      ].map((unit) => repeated(unit)),
      repeated('*,', { after: ` ${KEY}\n` }),
      repeated('*?*a,', { after: `b ${KEY}\n` }),
      repeated((index) => `host${index}.example.org ${KEY}\n`),
    ],
    feed: (bytes) =>
      judgeHostKey(['[host.example.org]:2222'], Buffer.from('a'), readKnownHosts([scratchFile('known_hosts', bytes)])),
  },
  {
    name: 'ssh_config',
    patterns: [
      ...COMMON,
      ...[
        'Host a\n',
        'Host *\n',
        'User a\n',
        'Host *a*b*\n',
        'Match all\n',
        'Match host a exec b\n',
        'IdentityFile ~/a\n',
        'ProxyCommand a\n',
        'Include a\n',
        'Host "',
        'User "a" ',
        ' User = a\n',
        'SendEnv A B\n',
        '!a ',
      ].map((unit) => repeated(unit)),
      ...['Host ', 'Host "', 'User ', 'Match ', 'Match host ', 'IdentityFile ', 'User="', 'Host *\n'].flatMap(
        (before) => behind(before),
      ),
      repeated((index) => `Host a${index}\n  User b\n`),
      repeated('*?', { before: 'Host ' }),
      repeated((index) => `  IdentityFile ~/.ssh/${index}\n`, { before: 'Host *\n' }),
    ],
    feed: (bytes) =>
      readSshConfig([scratchFile('ssh_config', bytes)], {
        location: { user: undefined, host: 'host.example.org', port: undefined, path: '/a' },
        localUser: 'me',
        home: '/nonexistent',
      }),
  },
  {
    name: 'tokens of ssh_config',
    patterns: [...COMMON, repeated('%h'), repeated('%%'), repeated('${A}'), repeated('${'), ...behind('${')],
    feed: text((one) => expandTokens(one, { h: 'a' } as never, { A: 'b' })),
  },
  {
    name: 'names in a packet of SFTP',
    mostBytes: 256 * 1024,
    throwsRangeError: true,
    patterns: [
      ...COMMON.slice(0, 50),
      repeated('\0\0\0\0\0\0\0\0\0\0\0\0', { before: '\0\x10\0\0' }),
      repeated('\0\0\0\0', { before: '\0\0\0\x01\0\0\0\0\0\0\0\0\x80\0\0\0\xff\xff\xff\xff' }),
      nested('\0\0\0\x01', 'a', { before: '\0\0\0\x01' }),
    ],
    feed(bytes) {
      const reader = fieldReader(bytes);
      for (let left = reader.uint32(); left > 0; left -= 1) [reader.bytes(), reader.bytes(), reader.attributes()];
    },
  },
];
