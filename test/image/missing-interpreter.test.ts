import { describe, expect, test } from 'vitest';
import { missingInterpreter } from '../../src/image/missing-interpreter.ts';
import { fileMember, symlinkMember } from '../../src/layer/tar-member.ts';
import { baselayout, ociDefinition, testContainer } from './test-content.ts';

/** What is missing to start a script of this text, in an image that has a shell, env and perl. */
async function missing(text: string, started: readonly string[] = ['/bin/script']): Promise<string | undefined> {
  const program = (path: string, content = '\x7fELF') => fileMember(path, content, { mode: 0o755 });
  const members = [
    symlinkMember('usr/bin/app', '../libexec/app'),
    program('usr/bin/dash'),
    program('usr/bin/env'),
    program('usr/bin/perl'),
    program('usr/bin/script', text),
    symlinkMember('usr/bin/sh', 'dash'),
    program('usr/libexec/app', text),
    { ...fileMember('usr/libexec/same', ''), type: 'hardlink', target: 'usr/libexec/app', mode: 0o755 } as const,
  ];
  const { content } = await testContainer([baselayout, { name: 'app-misc/script', members }]);
  return (await missingInterpreter(ociDefinition({ config: { entrypoint: [...started] } }), content))?.interpreter;
}

describe('the interpreter of a script that an image starts', () => {
  test.each([
    ['#!/bin/sh\n', undefined],
    ['#! /usr/bin/perl -w\n', undefined],
    ['#!/usr/bin/env perl\n', undefined],
    ['#!/usr/bin/env -S A=b perl -w\n', undefined],
    ['no script', undefined],
    ['', undefined],
    ['#!/usr/bin/python3\n', '/usr/bin/python3'],
    ['#!/usr/bin/python3', '/usr/bin/python3'],
    ['#!/bin/sh\r\n', '/bin/sh\r'],
    ['#!/usr/bin/env python3\n', 'python3'],
    ['#!/bin/nowhere/env perl\n', '/bin/nowhere/env'],
    [`#!/usr/bin/python3\n${'# long\n'.repeat(100_000)}`, '/usr/bin/python3'],
  ])('%j: %j is missing', async (text, interpreter) => {
    expect(await missing(text)).toBe(interpreter);
  });

  test('is looked for through links, for names in PATH and for hard links', async () => {
    for (const started of ['/bin/app', 'app', '/usr/libexec/same']) {
      expect(await missing('#!/usr/bin/python3\n', [started])).toBe('/usr/bin/python3');
    }
  });

  test('is not looked for where nothing is started, or no such file', async () => {
    expect(await missing('#!/usr/bin/python3\n', [])).toBeUndefined();
    expect(await missing('#!/usr/bin/python3\n', ['/bin/absent'])).toBeUndefined();
  });
});
