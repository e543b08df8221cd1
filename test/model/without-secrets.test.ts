import { describe, expect, test } from 'vitest';
import { maskedSecrets, shownAddress, withoutSecrets } from '../../src/model/without-secrets.ts';

describe('a text that leaves buildit', () => {
  test.each([
    'https://me:hunter2@mirror.example.org/x',
    'https://me:hunter2@mirror.example.org:bad',
    'https://hunter2@mirror.example.org',
    'https://:hunter2@mirror.example.org',
    'https://me:hun@ter2@mirror.example.org/',
    'https://me:a/hunter2@mirror.example.org/',
    'https://me:a?hunter2@mirror.example.org/',
    'https://me:a#hunter2@mirror.example.org/',
    'https://me:my hunter2@mirror.example.org/',
    'https://me:a\\hunter2@mirror.example.org/',
    'https://mé:hunter2@mirror.example.org',
    'https://me:%68unter2hunter2@[::1]:8080/',
    'HTTPS://me:hunter2@mirror.example.org',
    'socks5://me:hunter2@mirror.example.org',
    'ssh://me:hunter2@mirror.example.org/x',
    'git+https://hunter2@mirror.example.org',
    'https://me:hunter2…',
    'https://mirror.example.org/x?token=hunter2',
    'https://mirror.example.org/x?a=b&X-Amz-Signature=hunter2&c=d',
    'https://mirror.example.org/x?sig=hunter2#x',
    'https://mirror.example.org/x?access_token=hunter2;a=b',
    'https://mirror.example.org/x#access_token=hunter2',
    'https://a.example.org/?to=https%3A%2F%2Fme%3Ahunter2%40mirror.example.org%2Fx',
    'https://a.example.org/?to=https%3a%2f%2fme:hunter2@mirror.example.org',
    'me:hunter2@mirror.example.org:9/c',
    'me:hunter2@mirror.example.org/c',
    'me:hunter2@[::1]:22/c',
  ])('has no password of %s', (address) => {
    for (const text of [
      address,
      `error: "${address}" failed`,
      `(${address}), and more`,
      JSON.stringify({ a: address, b: 'x@y' }),
    ]) {
      expect(withoutSecrets(text)).not.toContain('hunter2');
      expect(maskedSecrets(text)).not.toContain('hunter2');
      expect(maskedSecrets(text)).toHaveLength(text.length);
    }
    const document = JSON.stringify({ a: address, b: 'me@example.org' });
    expect(JSON.parse(withoutSecrets(document))).toMatchObject({ b: 'me@example.org' });
  });

  test.each(['nginx:1.0@sha256:abc/', 'npm:foo@1.0.0', 'git@host:path', 'pkg:npm/foo@1.0/'])('keeps %s', (text) => {
    expect(withoutSecrets(text)).toBe(text);
  });

  test('says who was meant all the same', () => {
    expect(withoutSecrets('found "https://me:s@h.org:bad/x?a=1&token=t&b=2"')).toBe(
      'found "https://***@h.org:bad/x?a=1&token=***&b=2"',
    );
    expect(withoutSecrets('a https://u:p@h/ and http://v:q@i/')).toBe('a https://***@h/ and http://***@i/');
  });

  test.each([
    'https://registry.example.org/@scope/name',
    'http://localhost:4873/@scope/name@1.0.0',
    'https://[::1]:8080/a@b',
    'ssh://git@example.org/x and git+ssh://me@host',
    'export https_proxy=http://HOST:PORT, or: unset https_proxy',
    'Sysadmin42 <sys@admin42.org> wrote https://example.org/',
    'https://example.org/x?a=b&keyboard=c&monkey=d',
    'user@host:path, npm:a@1.0.0, docker.io/x:1@sha256:00',
    '://',
    'a%3Ab',
  ])('keeps %s', (text) => {
    expect(withoutSecrets(text)).toBe(text);
    expect(maskedSecrets(text)).toBe(text);
  });

  test('is read in time that grows with its length', () => {
    for (const piece of ['://', '://a:', 'https://a:b', '?a=', '%3A%2F%2F', '@', '://a:"', '://?token=', '&key=']) {
      const text = piece.repeat(Math.ceil(2 ** 20 / piece.length));
      const start = performance.now();
      withoutSecrets(text);
      expect(performance.now() - start).toBeLessThan(1500);
    }
  });
});

test.each([
  ['me:hunter2@mirror.example.org', '***@mirror.example.org'],
  ['https://me:hunter2@mirror.example.org:bad', 'https://***@mirror.example.org:bad'],
  ['hunter2@', '***@'],
  ['mirror', 'mirror'],
  ['http://h/@scope', 'http://***@scope'],
])('as an address %s is shown as %s', (text, shown) => {
  expect(shownAddress(text)).toBe(shown);
});
