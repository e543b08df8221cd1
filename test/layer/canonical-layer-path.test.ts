import { expect, test } from 'vitest';
import { canonicalLayerPath } from '../../src/layer/canonical-layer-path.ts';

test.each([
  ['bin/sh', 'usr/bin/sh'],
  ['sbin/ldconfig', 'usr/sbin/ldconfig'],
  ['lib/x86_64-linux-gnu/libc.so.6', 'usr/lib/x86_64-linux-gnu/libc.so.6'],
  ['lib32/a', 'usr/lib32/a'],
  ['lib64/ld-linux-x86-64.so.2', 'usr/lib64/ld-linux-x86-64.so.2'],
  ['libx32/a', 'usr/libx32/a'],
  ['var/run/nginx', 'run/nginx'],
  ['var/lock/subsys/a', 'run/lock/subsys/a'],
  ['usr/bin/sh', 'usr/bin/sh'],
  ['binary/a', 'binary/a'],
  ['var/running', 'var/running'],
  ['opt/bin/a', 'opt/bin/a'],
])('%s lies at %s', (path, expected) => {
  expect(canonicalLayerPath(path)).toBe(expected);
});

test.each(['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'var/run', 'var/lock'])(
  '%s itself belongs to the base layer',
  (path) => {
    expect(canonicalLayerPath(path)).toBeUndefined();
  },
);

test('a canonical path stays as it is', () => {
  for (const path of ['bin/sh', 'var/run/a', 'var/lock/a', 'etc/passwd']) {
    const canonical = canonicalLayerPath(path)!;
    expect(canonicalLayerPath(canonical)).toBe(canonical);
  }
});
