import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { missingLocales } from '../../src/image/missing-locale.ts';
import { draftNeeds, memberNeeds } from '../../src/image/program-needs.ts';
import { interpreterPackage, scriptInterpreters } from '../../src/image/script-interpreters.ts';
import { unmetNeeds } from '../../src/image/unmet-needs.ts';
import { fileMember } from '../../src/layer/tar-member.ts';
import type { FileStep } from '../../src/model/container.ts';
import { baselayout, position, root, type TestPackage, testContainer } from './test-content.ts';

const script = (path: string, line: string) => fileMember(path, `${line}\n`, { mode: 0o755 });

async function unmetOf(packages: readonly TestPackage[], steps: readonly FileStep[] = []): Promise<readonly string[]> {
  const { store, content } = await testContainer([baselayout, ...packages], () => steps);
  const all = [];
  for (const member of content.members) all.push({ owner: member.name, needs: await memberNeeds(store, member) });
  for (const layer of content.layers) {
    if (layer.member === undefined) all.push({ owner: undefined, needs: await draftNeeds(layer) });
  }
  return unmetNeeds(content.tree, all).map(({ kind, text }) => `${kind}: ${text}`);
}

describe('the interpreter of a script', () => {
  test.each([
    ['#!/bin/sh', ['/bin/sh']],
    ['#! /usr/bin/perl -w', ['/usr/bin/perl']],
    ['#!/usr/bin/env python3', ['/usr/bin/env', 'python3']],
    ['#!/usr/bin/env -S FOO=1 node --flag', ['/usr/bin/env', 'node']],
    ['#!/usr/bin/env', ['/usr/bin/env']],
    ['#!python', []],
    ['text', []],
    ['', []],
  ])('of %j', (line, interpreters) => {
    expect(scriptInterpreters(Buffer.from(`${line}\n`))).toEqual(interpreters);
  });

  test.each([
    ['/bin/sh', 'dash'],
    ['/usr/bin/perl', 'perl-base'],
    ['python3', 'python3'],
    ['/usr/bin/python3.11', 'python3.11'],
    ['/usr/bin/php8.2', 'php8.2-cli'],
    ['/opt/own/thing', undefined],
    ['constructor', undefined],
  ])('%s is in %s', (interpreter, name) => expect(interpreterPackage(interpreter)).toBe(name));
});

describe('a script without its interpreter', () => {
  const perl = {
    name: 'debian/openssl',
    members: ['a', 'b', 'c', 'd'].map((x) => script(`usr/bin/${x}`, '#!/usr/bin/perl')),
  };

  test('is named with the package that has it', async () => {
    expect(await unmetOf([perl])).toEqual([
      'notice: /usr/bin/a of debian/openssl, /usr/bin/b of debian/openssl, /usr/bin/c of debian/openssl and 1 more are scripts for /usr/bin/perl, which is not in the image: debian/perl-base has it',
    ]);
    expect(await unmetOf([perl, { name: 'x/perl', members: [script('usr/bin/perl', '')] }])).toEqual([]);
  });

  test('of the container is a warning, wherever links put it', async () => {
    const steps: FileStep[] = [
      { kind: 'file', dest: '/bin/tool', content: '#!/usr/bin/env ruby\n', mode: 0o755, owner: root, position },
      { kind: 'file', dest: '/usr/bin/data', content: '#!/usr/bin/lua\n', mode: 0o644, owner: root, position },
    ];
    const env = { name: 'x/env', members: [script('usr/bin/env', 'x')] };
    expect(await unmetOf([env], steps)).toEqual([
      'warning: /usr/bin/tool is a script for ruby, which is not in the image: debian/ruby has it',
    ]);
  });
});

describe('a program that calls a shell', () => {
  test('is named where there is none', async () => {
    const awk = { name: 'x/awk', members: [fileMember('usr/bin/awk', readFileSync('/usr/bin/mawk'), { mode: 0o755 })] };
    expect(await unmetOf([awk])).toEqual([
      'notice: /usr/bin/awk of x/awk calls system(3), which needs /bin/sh, and the image has none: debian/dash has it',
    ]);
    expect(await unmetOf([awk, { name: 'x/sh', members: [script('usr/bin/sh', '')] }])).toEqual([]);
  });
});

describe('a locale that an image lacks', () => {
  const tree = async (...paths: readonly string[]) => {
    const members = ['usr/lib/libc.so.6', ...paths.map((path) => `usr/lib/locale/${path}`)].map((path) =>
      fileMember(path, ''),
    );
    return (await testContainer([baselayout, { name: 'debian/libc6', members }])).content.tree;
  };

  test.each([
    [{ LANG: 'C.UTF-8' }, ['LANG libc-bin']],
    [{ LANG: 'C.utf8', LC_CTYPE: 'de_DE.UTF-8' }, ['LANG libc-bin', 'LC_CTYPE locales-all']],
    [{ LC_ALL: 'en_US.UTF-8', LANG: 'C.UTF-8' }, ['LC_ALL locales-all']],
    [{ LC_ALL: '', LANG: 'C.UTF-8', LC_TIME: 'C.UTF-8' }, ['LANG libc-bin']],
    [{ LANG: 'C' }, []],
    [{ LANG: 'POSIX', LC_ALL: 'C', LANGUAGE: 'de:en' }, []],
    [{ LANG: '' }, []],
    [{ LOCPATH: '/srv/locale', LANG: 'x' }, []],
  ])('for %j', async (environment, expected) => {
    const missing = missingLocales(environment, await tree());
    expect(missing.map(({ variable, package: name }) => `${variable} ${name}`)).toEqual(expected);
  });

  test('is found by the name that localedef gives it', async () => {
    const all = await tree('C.utf8/LC_CTYPE', 'de_DE.utf8/LC_CTYPE', 'de_DE@euro/LC_CTYPE', 'fr_FR/LC_CTYPE');
    for (const LANG of ['C.UTF-8', 'C.utf8', 'de_DE.UTF-8', 'de_DE@euro', 'fr_FR']) {
      expect(missingLocales({ LANG }, all)).toEqual([]);
    }
    expect(missingLocales({ LANG: 'en_US.UTF-8' }, await tree('locale-archive'))).toEqual([]);
  });

  test('is none without glibc', async () => {
    const { content } = await testContainer([baselayout]);
    expect(missingLocales({ LANG: 'de_DE.UTF-8' }, content.tree)).toEqual([]);
  });
});
