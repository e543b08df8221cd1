import { describe, expect, test } from 'vitest';
import { parseDiscovery } from '../../src/discover/parse-discovery.ts';
import { failureOf } from './failure-of.ts';

const KEY = `SHA256:${'a'.repeat(43)}`;

describe('--discover', () => {
  test('is a location and nothing more, by default', () => {
    expect(parseDiscovery('github.com/sysadmin42/containers')).toEqual({
      location: 'github.com/sysadmin42/containers',
      push: false,
      name: undefined,
      ref: undefined,
      trust: [],
    });
  });

  test.each([
    ['push=True', true],
    ['push=true', true],
    ['PUSH=TRUE', true],
    ['push=False', false],
    ['push=false', false],
  ])('understands %s', (setting, push) => {
    expect(parseDiscovery(`github.com/sysadmin42/containers,${setting}`)).toMatchObject({ push });
  });

  test('takes every key, and trust several times', () => {
    const text = `example.org,name=team,ref=v1.4,trust=${KEY},push=True,trust=${KEY.replace('a', 'b')}`;
    expect(parseDiscovery(text)).toEqual({
      location: 'example.org',
      push: true,
      name: 'team',
      ref: 'v1.4',
      trust: [KEY, KEY.replace('a', 'b')],
    });
  });

  test.each([
    ['', /expected a location before the first comma, found none/, undefined],
    [',push=True', /expected a location/, undefined],
    ['example.org,psuh=True', /found "psuh"/, /did you mean "push="\?/],
    ['example.org,push', /found "push"/, /did you mean "push="\?/],
    ['example.org,push=yes', /expected push=True or push=False, found "yes"/, undefined],
    ['example.org,push=True,push=True', /expected push= once, found it again/, undefined],
    ['example.org,name=../x', /expected name= to be a name such as containers, found "..\/x"/, undefined],
    ['example.org,ref=--upload-pack=x', /expected ref= to be a branch/, undefined],
    ['example.org,ref=a..b', /expected ref= to be a branch/, undefined],
    ['example.org,trust=MD5:00', /expected trust= to be a fingerprint/, undefined],
    ['example.org,constructor=x', /found "constructor"/, undefined],
    ['example.org,name=a\x1b[2J', /found "a\\u001b\[2J"/, undefined],
  ])('refuses %j as usage', (text, message, hint) => {
    const error = failureOf(() => parseDiscovery(text));
    expect(error).toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
    if (hint !== undefined) expect(error.hint).toMatch(hint);
  });

  test('does not repeat a password, wherever the commas are', () => {
    for (const text of [
      'https://me:s3cret@example.org/x,psuh=1',
      'https://me:a,s3cret@example.org/x',
      'x,s3cret@y=z',
    ]) {
      expect(JSON.stringify(failureOf(() => parseDiscovery(text)).message)).not.toContain('s3cret');
    }
  });
});
