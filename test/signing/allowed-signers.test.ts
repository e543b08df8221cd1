import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BuilditError } from '../../src/model/errors.ts';
import { parseAllowedSigners } from '../../src/signing/allowed-signers.ts';
import { publicKeyOf } from '../../src/signing/key-object.ts';
import { matchesPattern, matchesPatternList } from '../../src/signing/match-pattern.ts';
import { publicKeyText } from '../../src/signing/public-key-text.ts';
import { parseRevokedKeys } from '../../src/signing/revoked-keys.ts';
import { signerLine } from '../../src/signing/signer-line.ts';
import { parseSignerTime, signerTimeText } from '../../src/signing/signer-time.ts';
import { WireFault } from '../../src/signing/wire-reader.ts';
import { signersOf } from './ssh-tools.ts';

const publicKey = publicKeyOf(generateKeyPairSync('ed25519').publicKey);
const key = publicKeyText(publicKey);

/** The message and the line of each problem of a text. */
function problemsOf(text: string): (string | number | undefined)[][] {
  return parseAllowedSigners(text, 'file').problems.map(({ message, position }) => [message, position?.line]);
}

describe('a line of allowed_signers', () => {
  test('says whose a key is, what for, and from when until when', () => {
    const text = `# those who build\n\nalice@x,*@y namespaces="a,b",valid-after="20260101Z",valid-before="202701011200Z" ${key} a key\n`;
    expect(signersOf(text)).toEqual([
      {
        principals: ['alice@x', '*@y'],
        publicKey,
        namespaces: ['a', 'b'],
        validAfter: new Date('2026-01-01T00:00:00Z'),
        validBefore: new Date('2027-01-01T12:00:00Z'),
        comment: 'a key',
        line: 3,
      },
    ]);
  });

  test('that cannot be understood is a problem of its own, and the others count', () => {
    const { signers, problems } = parseAllowedSigners(
      `nonsense\nalice ${key}\nbob cert-authority ${key}\n`,
      '/etc/who',
    );
    expect(signers).toMatchObject([{ principals: ['alice'], line: 2 }]);
    expect(problems).toMatchObject([
      {
        code: 'configuration-invalid',
        message: 'Cannot understand line 1 of "/etc/who": expected names and then a key, found neither',
        position: { file: '/etc/who', line: 1, column: 1, excerpt: 'nonsense' },
      },
      {
        message:
          'Cannot understand line 3 of "/etc/who": expected a key, found one that only certifies others (cert-authority)',
      },
    ]);
  });

  test.each([
    ['!alice', 'expected a name besides those with "!", found none'],
    ['alice,', 'expected names with commas between them, found "alice,"'],
    ['a"b"', 'expected quotes around the whole of it, found them elsewhere'],
  ])('that begins with %s is refused', (names, message) => {
    expect(problemsOf(`${names} ${key}`)).toEqual([[`Cannot understand line 1 of "file": ${message}`, 1]]);
  });

  test.each([
    ['namespaces=""', 'expected namespaces with commas between them, found ""'],
    ['valid-before="20261301"', 'expected a time YYYYMMDD[HHMM[SS]][Z], found "20261301"'],
    ['valid-before', 'expected a value in quotes after valid-before=, found none'],
    ['valid-before=20260101', 'expected options such as namespaces="…", found "valid-before=20260101"'],
    ['namespaces="a",namespaces="b"', 'expected each option once, found namespaces twice'],
    ['touch="no"', 'expected the options namespaces, valid-after or valid-before, found touch'],
    ['valid-after="2027",valid-before="2026"', 'expected a time YYYYMMDD[HHMM[SS]][Z], found "2027"'],
    [
      'valid-after="20270101",valid-before="20260101"',
      'expected valid-after to be earlier than valid-before, found it later',
    ],
  ])('with the option %s is refused', (options, message) => {
    expect(problemsOf(`alice ${options} ${key}`)).toEqual([[`Cannot understand line 1 of "file": ${message}`, 1]]);
  });

  test('with a key that is none is refused', () => {
    for (const bad of [
      `ssh-dss ${key.slice(12)}`,
      key.slice(0, -2),
      `${key.slice(0, -1)}=`,
      'ssh-ed25519',
      'ssh-rsa AAAA',
    ])
      expect(problemsOf(`alice ${bad}`)).toHaveLength(1);
  });

  test('is written as it was read', () => {
    for (const line of [
      `alice ${key}`,
      `alice,bob namespaces="a,b" ${key} a comment`,
      `"a b" valid-after="20260101000000Z",valid-before="20270101000000Z" ${key}`,
    ])
      expect(signerLine(signersOf(line)[0]!)).toBe(line);
  });
});

test('a time without Z is one of this time zone, and one that is in no calendar is refused', () => {
  expect(parseSignerTime('20260131')).toEqual(new Date(2026, 0, 31));
  expect(parseSignerTime('202601311530')).toEqual(new Date(2026, 0, 31, 15, 30));
  expect(signerTimeText(parseSignerTime('20240229235959Z'))).toBe('20240229235959Z');
  for (const bad of ['20260230', '20260101240000', '2026', '20260101z', '2026010112', '20260101126000', ''])
    expect(() => parseSignerTime(bad)).toThrow(WireFault);
});

test('a revoked key is a key or a fingerprint, with what is known of it', () => {
  const text = `# gone\nSHA256:${'A'.repeat(43)} # stolen\n${key} alice\nSHA256:short\n`;
  const { keys, problems } = parseRevokedKeys(text, 'revoked_keys');
  expect(keys).toMatchObject([
    { fingerprint: `SHA256:${'A'.repeat(43)}`, comment: 'stolen', line: 2 },
    { comment: 'alice', line: 3 },
  ]);
  expect(problems).toMatchObject([{ position: { line: 4 } }]);
});

test('patterns match as those of ssh do', () => {
  expect(matchesPattern('alice@example.org', '*@example.org')).toBe(true);
  expect(matchesPattern('alice', 'al?c*e*')).toBe(true);
  expect(matchesPattern('alice', 'alic')).toBe(false);
  expect(matchesPattern('', '*')).toBe(true);
  expect(matchesPattern('', '?')).toBe(false);
  expect(matchesPattern('a.b', 'a?b')).toBe(true);
  expect(matchesPattern(`${'a'.repeat(10_000)}b`, `${'*a'.repeat(50)}c`)).toBe(false);
  expect(matchesPatternList('bob', ['*', '!bob'])).toBe(false);
  expect(matchesPatternList('alice', ['!bob'])).toBe(false);
});

test('arbitrary texts give signers or problems and never anything else', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom('alice', '"', ',', ' ', '\t', '\n', 'namespaces="', 'valid-before="2026', '!', '*', key, '\\', '#'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      const lines = text.split('\n').filter((line) => !/^\s*(?:#|$)/.test(line)).length;
      const { signers, problems } = parseAllowedSigners(text, 'file');
      expect(signers.length + problems.length).toBe(lines);
      for (const problem of [...problems, ...parseRevokedKeys(text, 'file').problems])
        expect(problem).toBeInstanceOf(BuilditError);
    }),
    { numRuns: 2000 },
  );
});
