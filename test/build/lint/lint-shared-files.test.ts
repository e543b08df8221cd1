import { expect, test } from 'vitest';
import { lintSharedFiles } from '../../../src/build/lint/lint-shared-files.ts';
import type { LayerEntry } from '../../../src/model/layer.ts';

function found(paths: readonly string[], replaced: readonly string[] = [], ownsTopLinks = false): readonly string[] {
  const facts = { mode: 0o644, uid: 0, gid: 0, mtime: 0 };
  const listing = paths.map((path): LayerEntry => ({ ...facts, path, type: 'symlink', target: 'x' }));
  return lintSharedFiles(listing, { replaced, ownsTopLinks }).map(({ code, path }) => `${code} ${path}`);
}

test.each([
  'etc/ld.so.preload',
  'etc/ld.so.conf.d/probe.conf',
  'etc/bash.bashrc',
  'etc/profile.d/probe.sh',
  'etc/environment',
  'etc/gitconfig',
  'etc/nsswitch.conf',
  'etc/pam.d/common-auth',
  'etc/perl/sitecustomize.pl',
  'usr/lib/python3/dist-packages/sitecustomize.py',
  'usr/lib/python3.11/sitecustomize.py',
  'usr/lib/python3/dist-packages/probe.pth',
  'etc/python3.11/sitecustomize.py',
  'usr/lib/x86_64-linux-gnu/gconv/gconv-modules.d/probe.conf',
])('%s changes programs of others', (path) => {
  expect(found([path])).toEqual([`shared-file ${path}`]);
  expect(found([path], [], true)).toEqual([]);
});

test('files that look like those are of one program alone', () => {
  const paths = ['etc/profile.d.example', 'usr/share/etc/ld.so.preload', 'etc/pam.d/probe', 'usr/lib/probe/x.pth'];
  expect(found([...paths, 'usr/share/probe/sitecustomize.py', 'etc/bash.bashrc.d/x', 'constructor'])).toEqual([]);
});

test.each([
  ['usr/bin/sh', 'debian/dash'],
  ['usr/bin/bash', 'debian/bash'],
  ['usr/bin/tar', 'debian/tar'],
  ['usr/bin/strip', 'debian/binutils'],
  ['usr/bin/x86_64-linux-gnu-ld', 'debian/binutils'],
  ['usr/bin/gcc', 'debian/gcc'],
  ['usr/bin/x86_64-linux-gnu-gcc-12', 'debian/gcc-12'],
  ['usr/bin/cc', 'debian/clang'],
  ['usr/bin/awk', 'debian/gawk'],
  ['usr/bin/sh', 'debian/busybox'],
  ['usr/lib/x86_64-linux-gnu/libc.so.6', 'debian/libc6'],
  ['usr/lib64/ld-linux-x86-64.so.2', 'debian/libc6'],
])('%s is for a recipe that replaces %s', (path, replaced) => {
  expect(found([path])).toEqual([`replaced-tool ${path}`]);
  expect(found([path], ['debian/hello'])).toEqual([`replaced-tool ${path}`]);
  expect(found([path], [replaced])).toEqual([]);
});

test("other programs are nobody else's", () => {
  expect(found(['usr/bin/gawk', 'usr/bin/bsdtar', 'usr/bin/tarot', 'usr/lib/probe/libc.so.6', 'usr/sbin/sh'])).toEqual(
    [],
  );
});
