import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSigner } from '../../src/signing/create-signer.ts';
import { createTrust } from '../../src/signing/create-trust.ts';
import { fingerprint, keyId } from '../../src/signing/public-key.ts';
import { publicKeyText } from '../../src/signing/public-key-text.ts';
import { readTrust } from '../../src/signing/read-trust.ts';
import type { JudgeOptions, Verdict } from '../../src/signing/trust.ts';
import { requires } from '../support/requires.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { generateKey, signersOf, signWithSshKeygen, sshKeygenBelieves } from './ssh-tools.ts';

const signer = createSigner(generateKeyPairSync('ed25519').privateKey);
const key = publicKeyText(signer.publicKey);
const print = fingerprint(signer.publicKey);
const message = Buffer.from('a record');
const at = new Date('2026-06-01T12:00:00Z');

async function judge(
  allowedSigners: string,
  { revoked = [], ...options }: Partial<JudgeOptions> & { readonly revoked?: readonly string[] } = {},
): Promise<Verdict> {
  const trust = createTrust({
    allowedSigners: signersOf(allowedSigners),
    revokedKeys: revoked.map((revokedPrint) => ({ fingerprint: revokedPrint })),
  });
  const armored = await signer.sign('buildit-package', message);
  return trust.judge(message, armored, { namespace: 'buildit-package', at, ...options });
}

describe('a whole signature', () => {
  test('by a key of the file is trusted, and its owner is named', async () => {
    expect(await judge(`alice@x ${key}`)).toEqual({
      kind: 'trusted',
      key: signer.publicKey,
      person: 'name alice@x',
      principal: 'alice@x',
      validUntil: undefined,
    });
  });

  test('by a key that nobody named is one by a stranger', async () => {
    expect(await judge('')).toMatchObject({ kind: 'stranger', reason: `signed by a stranger (${print})` });
  });

  test('with a revoked key does not count, whoever names the key', async () => {
    expect(await judge(`alice@x ${key}`, { revoked: [print] })).toMatchObject({
      kind: 'revoked',
      reason: `signed with a revoked key: alice@x (${print})`,
    });
    expect(await judge('', { revoked: [print] })).toMatchObject({ kind: 'revoked' });
  });

  test('made for another purpose does not count', async () => {
    expect(await judge(`alice@x ${key}`, { namespace: 'buildit-index' })).toMatchObject({
      kind: 'other-namespace',
      reason: `signed by alice@x (${print}) for buildit-package, not for buildit-index`,
    });
  });

  test('by a key that is trusted for another purpose does not count', async () => {
    expect(await judge(`alice@x namespaces="git,buildit-index" ${key}`)).toMatchObject({
      kind: 'other-namespace',
      reason: `signed by alice@x (${print}), who is not trusted for buildit-package`,
    });
    expect(await judge(`alice@x namespaces="*,!buildit-p*" ${key}`)).toMatchObject({ kind: 'other-namespace' });
    expect(await judge(`alice@x namespaces="buildit-*" ${key}`)).toMatchObject({ kind: 'trusted' });
  });

  test('counts within the validity of its key, both ends included', async () => {
    const line = `alice@x valid-after="20260101Z",valid-before="20260601120000Z" ${key}`;
    expect(await judge(line)).toMatchObject({ kind: 'trusted', validUntil: at });
    expect(await judge(line, { at: new Date('2026-01-01T00:00:00Z') })).toMatchObject({ kind: 'trusted' });
    expect(await judge(line, { at: new Date('2025-12-31T23:59:59Z') })).toMatchObject({
      kind: 'not-yet-valid',
      reason: `signed by alice@x (${print}), whose key counts only from 2026-01-01 00:00 UTC`,
    });
    expect(await judge(line, { at: new Date('2026-06-01T12:00:01Z') })).toMatchObject({
      kind: 'expired',
      reason: `signed by alice@x (${print}), whose key counted only until 2026-06-01 12:00 UTC`,
    });
  });

  test('counts when one of several lines says so, as long as the longest of them', async () => {
    const lines = [
      `alice@x valid-before="20200101Z" ${key}`,
      `alice@x namespaces="git" ${key}`,
      `bob@x valid-before="20270101Z" ${key}`,
      `carol@x valid-before="20280101Z" ${key}`,
    ].join('\n');
    expect(await judge(lines)).toMatchObject({ principal: 'carol@x', validUntil: new Date('2028-01-01T00:00:00Z') });
    expect(await judge(`${lines}\ndave ${key}`)).toMatchObject({ principal: 'dave', validUntil: undefined });
  });

  test.each([
    [['alice@x'], 'alice@x', 'trusted'],
    [['bob@x'], 'alice@x', 'stranger'],
    [['*@x'], 'alice@x', 'trusted'],
    [['*@y'], 'alice@x', 'stranger'],
    [['*', '!alice@x'], 'alice@x', 'stranger'],
    [['alice@x'], '*@x', 'trusted'],
    [['alice@x'], '*@x,!alice@x', 'stranger'],
    [['a*'], '*@x', 'stranger'],
    [['*@x'], '*@x', 'trusted'],
    [['?@x'], '*@x', 'stranger'],
    [[], 'alice@x', 'stranger'],
  ])('where %j are wanted, by one who is %j, is %s', async (principals, owner, kind) => {
    expect(await judge(`${owner} ${key}`, { principals })).toMatchObject({ kind });
  });
});

test('a key is known when it stands in the file and was not revoked', () => {
  const id = keyId(signer.publicKey);
  const trusting = (revokedKeys: { fingerprint: string }[], text = `alice ${key}`) =>
    createTrust({ allowedSigners: signersOf(text), revokedKeys }).knows(id);
  expect([trusting([]), trusting([{ fingerprint: print }]), trusting([], '')]).toEqual([true, false, false]);
});

describe('whose a key is', () => {
  const other = createSigner(generateKeyPairSync('ed25519').privateKey);
  const otherKey = publicKeyText(other.publicKey);
  const third = createSigner(generateKeyPairSync('ed25519').privateKey);
  const person = (trust: ReturnType<typeof createTrust>, { publicKey }: typeof signer) => {
    const verdict = trust.judgeKey(keyId(publicKey), { namespace: 'buildit-package', at });
    return verdict.kind === 'trusted' ? verdict.person : verdict.kind;
  };

  test.each([
    ['two lines with one name', `alice ${key}\nalice ${otherKey}`, true],
    ['one name in two cases', `Alice@x ${key}\nalice@x ${otherKey}`, true],
    ['a name among others', `alice,ci ${key}\nbob,alice ${otherKey}`, true],
    ['a name behind another one', `ci,alice ${key}\nalice ${otherKey}`, true],
    ['a pattern that covers a name', `*@x ${key}\nalice@x ${otherKey}`, true],
    ['a name that ties two others', `alice ${key}\nbob ${otherKey}\nalice,bob ${publicKeyText(third.publicKey)}`, true],
    ['one key under two names', `alice ${key}\nbob ${key}\nbob ${otherKey}`, true],
    ['two names', `alice ${key}\nbob ${otherKey}`, false],
    ['a name that is refused', `alice,!bob ${key}\nbob ${otherKey}`, false],
    ['a pattern that covers no other', `*@y ${key}\nalice@x ${otherKey}`, false],
  ])('%s', (_, text, isOne) => {
    const trust = createTrust({ allowedSigners: signersOf(text), revokedKeys: [] });
    expect(person(trust, signer) === person(trust, other)).toBe(isOne);
  });

  test('is judged as a signature by it would be', async () => {
    for (const line of [`alice ${key}`, `alice namespaces="git" ${key}`, `alice valid-before="20200101" ${key}`, '']) {
      for (const principals of [undefined, ['bob']]) {
        const options: JudgeOptions = { namespace: 'buildit-package', at, principals };
        const trust = createTrust({ allowedSigners: signersOf(line), revokedKeys: [] });
        const { kind } = trust.judge(message, await signer.sign('buildit-package', message), options);
        expect(trust.judgeKey(keyId(signer.publicKey), options).kind).toBe(kind);
      }
    }
  });
});

test('nobody is trusted where there are no files', async () => {
  const directory = temporaryDirectory();
  const files = { allowedSigners: join(directory, 'none'), revokedKeys: join(directory, 'neither') };
  expect(await readTrust(files)).toMatchObject({ allowedSigners: [], revokedKeys: [], problems: [] });
});

test('a revoked key that cannot be understood is an error, for it would count otherwise', async () => {
  const directory = temporaryDirectory();
  const files = { allowedSigners: join(directory, 'allowed_signers'), revokedKeys: join(directory, 'revoked_keys') };
  writeFileSync(files.allowedSigners, `alice ${key}\nbroken\n`);
  writeFileSync(files.revokedKeys, `# gone\n${print} # alice's laptop\n`);
  const { trust, problems, revokedKeys } = await readTrust(files);
  expect(trust.knows(keyId(signer.publicKey))).toBe(false);
  expect(problems).toMatchObject([{ code: 'configuration-invalid', position: { line: 2 } }]);
  expect(revokedKeys).toEqual([{ fingerprint: print, comment: "alice's laptop", line: 2 }]);
  writeFileSync(files.revokedKeys, `${print.slice(0, -1)}\n`);
  await expect(readTrust(files)).rejects.toMatchObject({ code: 'configuration-invalid', position: { line: 1 } });
});

requires('ssh-keygen').test('ssh-keygen and buildit read a file in the same way', () => {
  const directory = temporaryDirectory();
  const mine = generateKey(directory, 'mine');
  const other = generateKey(directory, 'other');
  const armored = signWithSshKeygen(mine, 'buildit-package', message);
  const now = new Date();
  const lines = [
    `alice ${mine.publicText}`,
    `bob ${mine.publicText}`,
    `alice ${other.publicText}`,
    `*,!bob ${mine.publicText}`,
    `*,!alice ${mine.publicText}`,
    `al?ce ${mine.publicText}`,
    `"alice,carol of x" ${mine.publicText}`,
    `alice namespaces="buildit-package" ${mine.publicText}`,
    `alice namespaces="git,buildit-*" ${mine.publicText}`,
    `alice namespaces="git" ${mine.publicText}`,
    `alice NAMESPACES="buildit-package" ${mine.publicText}`,
    `alice namespaces=buildit-package ${mine.publicText}`,
    `alice valid-before="20200101" ${mine.publicText}`,
    `alice valid-before="20990101" ${mine.publicText}`,
    `alice valid-before="20990101Z",valid-after="20200101120000Z" ${mine.publicText}`,
    `alice valid-after="20980101",valid-before="20970101" ${mine.publicText}`,
    `alice valid-after="20990101" ${mine.publicText}`,
    `alice valid-after="2099-01-01" ${mine.publicText}`,
    `alice valid-before="20990101",valid-before="20990101" ${mine.publicText}`,
    `alice cert-authority ${mine.publicText}`,
    `alice unknown="1" ${mine.publicText}`,
    `# alice ${mine.publicText}`,
    `   alice\t${mine.publicText.replaceAll(' ', '\t')}`,
    `alice ${mine.publicText}\r`,
    `alice ${mine.publicText.slice(0, 60)}`,
    `alice`,
    `alice valid-before="20990101" `,
    `${mine.publicText}`,
    `broken line\nalice ${mine.publicText}`,
  ];
  for (const allowedSigners of lines) {
    const question = { directory, allowedSigners: `${allowedSigners}\n`, principal: 'alice', message, armored };
    const theirs = sshKeygenBelieves({ ...question, namespace: 'buildit-package' });
    const signers = parse(allowedSigners);
    const verdict = createTrust({ allowedSigners: signers, revokedKeys: [] }).judge(message, armored, {
      namespace: 'buildit-package',
      at: now,
      principals: ['alice'],
    });
    // Of a file with a broken line ssh-keygen believes nothing that stands below it.
    const expected = theirs || allowedSigners.startsWith('broken');
    expect([allowedSigners, verdict.kind === 'trusted']).toEqual([allowedSigners, expected]);
  }
});

function parse(text: string) {
  try {
    return signersOf(text);
  } catch {
    return text
      .split('\n')
      .slice(1)
      .flatMap((line) => signersOf(line));
  }
}

test('a trust never throws for what it is asked about', () => {
  const trust = createTrust({ allowedSigners: signersOf(`alice ${key}`), revokedKeys: [] });
  fc.assert(
    fc.property(fc.uint8Array(), fc.string(), fc.array(fc.string()), (bytes, armored, principals) => {
      expect(trust.judge(bytes, armored, { namespace: 'buildit-index', at, principals }).kind).toBe('invalid');
    }),
  );
});
