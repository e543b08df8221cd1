import { expect, test } from 'vitest';
import { realVersion } from '../../src/model/loose-order.ts';
import { upstreamOfDebianVersion, versionOfTag } from '../../src/model/upstream-version.ts';

test.each([
  ['v1.2', '1.2'],
  ['V1.2', '1.2'],
  ['v1_2', '1.2'],
  ['1.1.1w', '1.1.1w'],
  ['R_2_5_0', '2.5.0'],
  ['curl-8_14_1', '8.14.1'],
  ['OpenSSL_1_1_1w', '1.1.1w'],
  ['openssl-3.0.15', '3.0.15'],
  ['V_9_9_P1', '9.9_P1'],
  ['REL_16_3', '16.3'],
  ['release-74-2', '74.2'],
  ['release-1.22.1', '1.22.1'],
  ['release/1.2-rc1', '1.2-rc1'],
  ['release-2.1.12-stable', '2.1.12-stable'],
  ['libxml2-2.9.14', '2.9.14'],
  ['libxml2-v2.9.14', '2.9.14'],
  ['bzip2-1.0.8', '1.0.8'],
  ['go1.22.3', '1.22.3'],
  ['n7.1', '7.1'],
  ['jdk-17.0.1+12', '17.0.1+12'],
  ['2026b', '2026b'],
  ['20250104-3.1', '20250104-3.1'],
  ['2.12.7+dfsg+really2.9.14', '2.9.14'],
])('the tag %s names the version %s', (tag, version) => {
  expect(versionOfTag(tag)).toBe(version);
});

test('a project whose name ends in a digit can be named', () => {
  expect(versionOfTag('bzip2_1_0_8', 'bzip2')).toBe('1.0.8');
  expect(versionOfTag('PCRE2-10.42', 'pcre2')).toBe('10.42');
  expect(versionOfTag('v10.42', 'pcre2')).toBe('10.42');
});

test.each([
  'latest',
  'stable',
  'v',
  '',
  'refs',
  '../1',
  'a b-1.0',
  'v1.0\n',
  'v1 0',
  `v${'1'.repeat(300)}`,
  'ab1-'.repeat(63),
])('the tag %j names no version', (tag) => {
  expect(versionOfTag(tag)).toBeUndefined();
});

test.each([
  ['5:7.0.15-1~deb12u7', '7.0.15'],
  ['1:1.3.dfsg+really1.3.1-1+b1', '1.3.1'],
  ['2.12.7+dfsg+really2.9.14-2.1+deb13u1', '2.9.14'],
  ['1:1.2.13.dfsg-1', '1.2.13'],
  ['2.9.14+dfsg-1.3~deb12u2', '2.9.14'],
  ['2.4.1+dfsg1-2', '2.4.1'],
  ['2.1.12-stable-10+b1', '2.1.12-stable'],
  ['0.5.11+git20200708+dd9ef66-5', '0.5.11+git20200708+dd9ef66'],
  ['6.5+20250216-2', '6.5+20250216'],
  ['2026b-0+deb12u1', '2026b'],
  ['3.0.15-1~deb12u1', '3.0.15'],
])('the Debian version %s is upstream’s %s', (version, upstream) => {
  expect(upstreamOfDebianVersion(version)).toBe(upstream);
});

test('+really means the real one', () => {
  expect(realVersion('2.12.7+dfsg+really2.9.14')).toBe('2.9.14');
  expect(realVersion('1.0+really2.0+really3.0-1')).toBe('3.0-1');
  expect(realVersion('1.0')).toBe('1.0');
});
