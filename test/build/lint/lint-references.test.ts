import { describe, expect, test } from 'vitest';
import { interpretersOf, surroundingsOf } from '../../../src/build/lint/lint-references.ts';
import { fileMember, symlinkMember, type TarMember } from '../../../src/layer/tar-member.ts';
import type { LayerEntry } from '../../../src/model/layer.ts';
import { findingsIn } from './probe-layer.ts';

const script = (path: string, text: string, mode = 0o755) => fileMember(path, text, { mode });
const program = (path: string) => script(path, 'x');

describe('a script in a directory of programs', () => {
  test.each([
    ['of the package itself', '#!/usr/bin/own\n'],
    ['through a link of a merged /usr', '#!/bin/own\n'],
    ['that env looks up', '#!/usr/bin/env own\n'],
    ['that env looks up, behind its options', '#!/usr/bin/env -S -u X A=b own --flag\n'],
    ['behind blanks', '#! \t /usr/bin/own \t-x\n'],
    ['without an end of the line', '#!/usr/bin/own'],
    ['that is Essential in Debian', '#!/bin/sh\n'],
    ['of a program that is none', 'plain text\n'],
  ])('is run by an interpreter %s', async (_what, text) => {
    expect(await findingsIn([script('usr/bin/a', text), program('usr/bin/own')])).toEqual([]);
  });

  test.each([
    ['#!/usr/bin/ruby\n', '/usr/bin/ruby'],
    ['#!/usr/bin/env ruby\n', 'ruby'],
    ['#!/usr/bin/env -S ruby -w\n', 'ruby'],
    ['#!/usr/bin/env -Sruby\n', 'ruby'],
    ['#!/usr/bin/env -S -i PATH=/x ruby\n', 'ruby'],
    ['#!ruby\n', './ruby'],
    ['#!/usr/bin/own/x\n', '/usr/bin/own/x'],
    ['#!/usr/local/bin/own\n', '/usr/local/bin/own'],
    ['#!/bin/constructor\n', '/bin/constructor'],
  ])('%j has none', async (text, shown) => {
    const members = [script('usr/bin/a', text), program('usr/bin/own')];
    expect(await findingsIn(members)).toEqual([`missing-interpreter usr/bin/a: a script for ${shown}`]);
  });

  test('with the line ends of another system is for no interpreter of this one', async () => {
    expect(await findingsIn([script('usr/sbin/a', '#!/bin/sh\r\n')])).toEqual([
      'missing-interpreter usr/sbin/a: a script for /bin/sh\r',
    ]);
  });

  test('lies in usr/libexec and /opt, too, or has a link there; what cannot be run is none', async () => {
    const text = '#!/usr/bin/ruby\n';
    const members = [
      script('usr/libexec/probe/deep/a', text),
      script('opt/probe/bin/b', text),
      script('usr/lib/probe/c', text),
      symlinkMember('usr/bin/c', '../lib/probe/c'),
      script('usr/lib/probe/d', text),
      script('usr/bin/e', text, 0o644),
    ];
    expect((await findingsIn(members)).map((line) => line.split(':')[0])).toEqual([
      'missing-interpreter opt/probe/bin/b',
      'missing-interpreter usr/lib/probe/c',
      'missing-interpreter usr/libexec/probe/deep/a',
    ]);
  });

  test('may be run by what a declared package has, links of that among it, or may have', async () => {
    const members = [script('usr/bin/a', '#!/usr/bin/env ruby\n')];
    const facts = { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
    const listing: LayerEntry[] = [
      { ...facts, path: 'usr/bin/ruby', type: 'symlink', target: 'ruby3.1' },
      { ...facts, path: 'usr/bin/ruby3.1', type: 'file', size: 0, sha256: '' },
    ];
    const own: LayerEntry[] = [{ ...facts, path: 'usr/bin/a', type: 'file', size: 0, sha256: '' }];
    const within = (listings: readonly (readonly LayerEntry[])[], unknown: readonly string[] = []) =>
      findingsIn(members, { surroundings: surroundingsOf([own, ...listings], unknown) });
    expect(await within([listing])).toEqual([]);
    expect(await within([listing.slice(0, 1)])).toHaveLength(1);
    expect(await within([], ['debian/ruby3.1'])).toEqual([]);
    expect(await within([], ['dev-lang/any'])).toEqual([]);
    expect(await within([], ['debian/ca-certificates'])).toHaveLength(1);
  });

  test('is read to the end of what the kernel reads', () => {
    expect(interpretersOf(`#!${' '.repeat(1_000_000)}`)).toEqual([]);
    expect(interpretersOf('#!/usr/bin/env\n')).toEqual(['/usr/bin/env']);
    expect(interpretersOf('#!/usr/bin/env -u A -C /x prog\n')).toEqual(['/usr/bin/env', 'prog']);
  });
});

describe('a symbolic link', () => {
  const dangling = async (...members: readonly TarMember[]) =>
    (await findingsIn(members)).filter((line) => line.startsWith('dangling-link'));

  test.each([
    ['nowhere', '/usr/lib/nowhere'],
    ['nowhere beside it', 'nowhere'],
    ['below a file', '../bin/own/x'],
    ['itself', 'a'],
    ['nowhere through a directory link', '../share/linked/nothing'],
  ])('to %s is told of', async (_what, target) => {
    const members = [symlinkMember('usr/lib/a', target), program('usr/bin/own'), program('usr/share/real/file')];
    expect(await dangling(...members, symlinkMember('usr/share/linked', 'real'))).toEqual([
      `dangling-link usr/lib/a: a link to ${target}`,
    ]);
  });

  test.each([
    ['a file', '/usr/bin/own'],
    ['a file through the top', '/bin/own'],
    ['a directory', '../share'],
    ['a file through a directory link', '/usr/share/linked/file'],
    ['the root', '/'],
    ['what the kernel makes', '/proc/self/mounts'],
    ['what is made when the system runs', '/run/probe/socket'],
    ['the null device', '/dev/null'],
    ['a file that every root has', '/etc/passwd'],
    ['above the root', '../../../../usr/bin/own'],
  ])('to %s leads somewhere', async (_what, target) => {
    const members = [symlinkMember('usr/lib/a', target), program('usr/bin/own'), program('usr/share/real/file')];
    expect(await dangling(...members, symlinkMember('usr/share/linked', 'real'))).toEqual([]);
  });

  test('to a link that buildit makes for Debian leads somewhere where that leads somewhere', async () => {
    const link = symlinkMember('usr/share/probe', '/usr/bin/awk');
    expect(await dangling(link, program('usr/bin/gawk'))).toEqual([]);
    expect(await dangling(link)).toHaveLength(1);
  });

  test('by build ID, and anything where a dependency is not at hand, is not judged', async () => {
    expect(await dangling(symlinkMember('usr/lib/debug/.build-id/ab/cd', '../../../../bin/x'))).toEqual([]);
    const surroundings = surroundingsOf([], ['debian/libc6']);
    expect(await findingsIn([symlinkMember('usr/lib/a', 'b')], { surroundings })).toEqual([]);
  });
});
