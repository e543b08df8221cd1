// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are texts of other languages
import { PassThrough } from 'node:stream';
import { createLogTail } from '../../src/build/build-log.ts';
import { createIpcMeter } from '../../src/build/ipc-usage.ts';
import { isOwnLine, judgeTest } from '../../src/build/judge-test.ts';
import { parseMachineMemory } from '../../src/build/kernel-memory.ts';
import { BuildPathScanner } from '../../src/build/lint/build-path-scanner.ts';
import { processUsage } from '../../src/build/namespace-usage.ts';
import { mountOf } from '../../src/cli/doctor/check-store.ts';
import { inertStream, inertText } from '../../src/cli/screen/inert-stream.ts';
import { createLogLines } from '../../src/cli/screen/log-lines.ts';
import { fitText, textWidth, withoutEscapes } from '../../src/cli/text-width.ts';
import { guessLicense } from '../../src/draft/guess-license.ts';
import { DraftNotes } from '../../src/draft/import/draft-notes.ts';
import { importApkbuild } from '../../src/draft/import/import-apkbuild.ts';
import { importEbuild } from '../../src/draft/import/import-ebuild.ts';
import { readRequiredUse } from '../../src/draft/import/required-use.ts';
import { readUseString } from '../../src/draft/import/use-string.ts';
import { readShell } from '../../src/draft/shell/read-shell.ts';
import { cutMatch, parseShellPattern, replaceMatches } from '../../src/draft/shell/shell-pattern.ts';
import { scriptInterpreters } from '../../src/image/script-interpreters.ts';
import { addDebianUsers, addUsers, findOwner, hasOwner, homeOf } from '../../src/image/user-tables.ts';
import { printable } from '../../src/model/names.ts';
import { boundedText, shownName, shownNames } from '../../src/model/shown-name.ts';
import { maskedSecrets, shownAddress, withoutSecrets } from '../../src/model/without-secrets.ts';
import { compressedAnswer, looksLikePage } from '../../src/system/changed-answer.ts';
import { behind, COMMON, type HostileReader, nested, type Pattern, repeated } from './hostile-reader.ts';

const text =
  (feed: (text: string) => unknown): HostileReader['feed'] =>
  (bytes) =>
    feed(bytes.toString('latin1'));

const SECRETS: readonly Pattern[] = [
  ...[
    'https://',
    'https://a:b@',
    'https://a:',
    '://',
    'a://b@',
    '@',
    'a:b@c ',
    'a+',
    'https://a/',
    'ftp://@',
    'h://',
  ].map((unit) => repeated(unit)),
  ...['https://', 'https://a:', 'https://a:b@', 'a'].flatMap((before) => behind(before)),
  repeated('a', { before: 'https://', after: '@' }),
  repeated('a:', { before: 'https://', after: '@b' }),
];

const ESCAPES: readonly Pattern[] = [
  ...[
    '\x1b',
    '\x1b[',
    '\x1b[1',
    '\x1b[31m',
    '\x1b]0;',
    '\x1b]',
    '\x1bP',
    '\x1b]8;;a\x07',
    '\x9b',
    '\x1b\\',
    '::a::',
    '::a',
    '##[',
    '\x1b[;',
    'section_start:1:a\r\x1b[0K',
    '\r',
  ].map((unit) => repeated(unit)),
  ...['\x1b[', '\x1b]', '\x1b]0;', '\x1bP', '::'].flatMap((before) => behind(before)),
];

const SHELL: readonly Pattern[] = [
  ...[
    'a=b\n',
    'a="b"\n',
    'a="$a$a"\n',
    'a+="$a"\n',
    'a() {\n}\n',
    'a() {',
    '}\n',
    '$(',
    '`',
    '"$(',
    '${a',
    '${a%',
    '${a//b/c}',
    '${a:-',
    '$((',
    '<<EOF\n',
    '<<',
    'if a; then\n',
    'case a in\n',
    ';;\n',
    '(a',
    'a=(b)\n',
    '#a\n',
    '&&',
    '||',
    'for a in b; do\n',
    'a b c; ',
    "$'",
    '${a#*',
    '${a}',
    '$a',
    'EOF\n',
  ].map((unit) => repeated(unit)),
  ...[
    'a="',
    "a='",
    'a=(',
    'a() {\n',
    'a=$(',
    'a=${b',
    'a=${b%',
    'cat <<EOF\n',
    'if ',
    'source="',
    'a="b"\nc="',
  ].flatMap((before) => behind(before)),
  nested('$(', ')', { before: 'a=' }),
  nested('${a:-', '}', { before: 'a=' }),
  nested('{ ', '; }\n'),
  nested('(', ')'),
  nested('"$(', ')"', { before: 'a=' }),
  nested('if a; then\n', 'fi\n'),
  repeated('$a', { before: `a=${'x'.repeat(1000)}\nb="`, after: '"\n' }),
  repeated('${a//x/yy}', { before: `a=${'x'.repeat(1000)}\nb="`, after: '"\n' }),
  repeated((index) => `a${index + 1}="$a${index}$a${index}"\n`, { before: 'a0=x\n' }),
  repeated((index) => `a${index}=b\n`),
  repeated((index) => `f${index}() {\n  make\n}\n`),
  repeated('cat <<A\n', { after: 'A\n' }),
  repeated('  make\n', { before: 'build() {\n', after: '}\n' }),
  repeated('  make && \\\n', { before: 'build() {\n', after: '}\n' }),
];

const APKBUILD = 'pkgname=a\npkgver=1\npkgrel=0\nlicense="MIT"\n';
const EBUILD = 'EAPI=8\nLICENSE="MIT"\nSLOT=0\n';
const within = (before: string, patterns: readonly Pattern[]): readonly Pattern[] =>
  patterns.map(({ name, make }) => ({
    name: `${before.split('\n', 1)[0]!}… ${name}`,
    make: (bytes) => Buffer.concat([Buffer.from(before), make(bytes)]),
  }));

const USE: readonly Pattern[] = [
  ...[
    'a? ( ',
    '|| ( ',
    '( ',
    ') ',
    'a/b ',
    '>=a/b-1 ',
    'a? ( b ) ',
    '!a? ( ',
    '^^ ( ',
    '?? ( a ) ',
    'a/b[c,d] ',
    'a/b:0= ',
    '!!a/b ',
  ].map((unit) => repeated(unit)),
  nested('a? ( ', ') '),
  nested('|| ( ', ') '),
  repeated((index) => `f${index}? ( a/b${index} ) `),
  repeated((index) => `a/b${index} `),
  repeated('c,', { before: 'a/b[', after: ']' }),
];

const quoted = (key: string) =>
  USE.map(({ name, make }) => ({
    name: `${key}= ${name}`,
    make: (bytes: number) =>
      Buffer.concat([Buffer.from(`${EBUILD}IUSE="a f1 f2"\n${key}="`), make(bytes), Buffer.from('"\n')]),
  }));

const test = { exitCode: 0, stdout: `${'a'.repeat(60)}b`, stderr: 'a'.repeat(60) } as never;

export const PROGRAM_READERS: readonly HostileReader[] = [
  { name: 'shell text', patterns: [...COMMON, ...SHELL], feed: text((one) => readShell(one)) },
  {
    name: 'APKBUILD',
    patterns: [
      ...COMMON.slice(0, 30),
      ...SHELL,
      ...within(APKBUILD, SHELL),
      repeated((index) => `a${index}-dev `, { before: `${APKBUILD}makedepends="`, after: '"\n' }),
      repeated((index) => `https://a/${index}.tar.gz `, { before: `${APKBUILD}source="`, after: '"\n' }),
      repeated('a::https://b/c ', { before: `${APKBUILD}source="`, after: '"\n' }),
    ],
    feed: text((one) => importApkbuild(one, {})),
  },
  {
    name: 'ebuild',
    patterns: [
      ...SHELL.slice(0, 30),
      ...within(EBUILD, SHELL),
      ...quoted('RDEPEND'),
      ...quoted('SRC_URI'),
      ...quoted('REQUIRED_USE'),
      ...quoted('LICENSE'),
      repeated((index) => `+f${index} `, { before: `${EBUILD}IUSE="`, after: '"\n' }),
      repeated((index) => `inherit e${index}\n`, { before: EBUILD }),
    ],
    feed: text((one) => importEbuild(one, 'a/b/b-1.ebuild', {})),
  },
  {
    name: 'dependencies of an ebuild',
    patterns: [...COMMON, ...USE],
    feed: text((one) => [readUseString(one), readRequiredUse(one, new Set(['a', 'f1']), new DraftNotes())]),
  },
  {
    name: 'pattern of a shell',
    patterns: [...COMMON, ...['*', '?', '[a]', '[!a-z]', '[', '*a'].map((unit) => repeated(unit))],
    feed: text((one) => {
      for (const source of [one, '*a', 'a*', '*x', 'a*b', `${'a'.repeat(50)}*${'a'.repeat(40)}b`]) {
        const pattern = parseShellPattern(source);
        if (pattern === undefined) continue;
        for (const operator of ['#', '##', '%', '%%'] as const) cutMatch(one, operator, pattern);
        replaceMatches(one, pattern, 'b', true);
      }
    }),
  },
  {
    name: 'text of a license',
    patterns: [
      ...COMMON,
      repeated('Permission is hereby granted '),
      repeated('GNU GENERAL PUBLIC LICENSE '),
      repeated('Apache License\n'),
      repeated('Redistribution and use '),
    ],
    feed: text((one) => guessLicense(one)),
  },
  {
    name: 'name to be shown',
    patterns: [...COMMON, ...ESCAPES, repeated('{"a":'), repeated('a\n')],
    feed: text((one) => [
      printable(one),
      shownName(one),
      shownNames(one.split('\n')),
      boundedText(one, { characters: 400, lines: 5 }),
    ]),
  },
  {
    name: 'text with secrets',
    patterns: [...COMMON, ...SECRETS],
    feed: text((one) => [withoutSecrets(one), maskedSecrets(one), shownAddress(one)]),
  },
  {
    name: 'text for a terminal',
    patterns: [...COMMON, ...ESCAPES],
    feed: text((one) => [
      withoutEscapes(one),
      textWidth(one),
      fitText(one, 80),
      inertText(one, 'github'),
      inertText(one, 'gitlab'),
    ]),
  },
  {
    name: 'text for a log of CI, in pieces',
    patterns: [...COMMON, ...ESCAPES],
    feed: text((one) => {
      for (const service of ['github', 'gitlab'] as const) {
        const stream = inertStream({ write: () => true } as never, service);
        for (let at = 0; at < one.length; at += 512) stream.write(one.slice(at, at + 512));
      }
    }),
  },
  {
    name: 'log of a build, in pieces',
    patterns: [...COMMON, ...ESCAPES],
    feed(bytes) {
      const [lines, tail] = [createLogLines(), createLogTail()];
      for (let at = 0; at < bytes.length; at += 512) {
        const chunk = bytes.subarray(at, at + 512);
        lines.add(chunk);
        tail.add(chunk);
      }
      return [lines.rest(), tail.lines(20)];
    },
  },
  {
    name: 'output of a test',
    patterns: [...COMMON, repeated('buildit: a\n'), repeated('a', { after: 'b' }), repeated('buildit: ')],
    feed: text((one) =>
      [0, 125, 126, 127, 130].map((code) => [
        isOwnLine(one),
        judgeTest(test, { exit: { kind: 'exited', code } as never, stdout: one, stderr: one, exceeded: undefined }),
      ]),
    ),
  },
  {
    name: 'first line of a script',
    patterns: [...COMMON, ...behind('#!'), ...behind('#!/usr/bin/env '), ...behind('#! /a ')],
    feed: (bytes) => scriptInterpreters(bytes),
  },
  {
    name: 'users of an image',
    patterns: [
      ...COMMON,
      ...['a:x:1:1:::\n', ':', '::::::\n', 'root:x:0:0::/root:/bin/sh\n', '+\n'].map((unit) => repeated(unit)),
      repeated((index) => `u${index}:x:${index}:${index}::/h:/s\n`),
      repeated((index) => `u${index}:x:0:0::/h:/s\n`),
      repeated('a,', { before: 'a:x:1:' }),
    ],
    feed: text((one) => {
      const tables = { passwd: one, group: one, shadow: one };
      const wanted = Array.from({ length: 20 }, (_, index) => ({
        name: `w${index}`,
        uid: 5000 + index,
        gid: 5000 + index,
        group: `w${index}`,
        home: '/',
        shell: '/bin/sh',
        by: 'a',
      }));
      const found = [
        hasOwner(tables, 'nobody:nobody'),
        homeOf(tables, 77_777),
        findOwner(tables, { user: '1', group: '' }, undefined),
      ];
      return [found, addDebianUsers(tables, wanted as never), addUsers(tables, wanted as never)];
    }),
  },
  {
    name: 'what the kernel says of processes',
    patterns: [
      ...COMMON,
      ...[
        'RssAnon:',
        'RssAnon: 1 kB\n',
        'Threads:',
        'Threads: 1\n',
        'FDSize:\t',
        'MemAvailable: 1 kB\n',
        '1 1 1:1 / / rw - a b c\n',
        '\\040',
      ].map((unit) => repeated(unit)),
      ...behind('RssAnon:'),
      ...behind('Threads:'),
      ...behind('MemAvailable:'),
      ...behind('1 1 1:1 / /'),
    ],
    feed: text((one) => [processUsage(one), parseMachineMemory(one), mountOf(one, '/a/b')]),
  },
  {
    name: 'what a sandbox says of its memory, in pieces',
    patterns: [...COMMON, repeated('9'), repeated('9\n'), repeated('\n9')],
    async feed(bytes) {
      const channel = new PassThrough();
      const meter = createIpcMeter(channel);
      for (let at = 0; at < bytes.length; at += 64) channel.write(bytes.subarray(at, at + 64));
      await new Promise((resolve) => setImmediate(resolve));
      return meter.measure();
    },
  },
  {
    name: 'files with paths of a build, in pieces',
    patterns: [
      ...COMMON,
      ...['/build', '/buildit', '/work', '/out', '/build/', '/b', 'a/build'].map((unit) => repeated(unit)),
    ],
    feed(bytes) {
      const scanner = new BuildPathScanner();
      for (let at = 0; at < bytes.length; at += 4096) scanner.push(bytes.subarray(at, at + 4096));
      return scanner.finish();
    },
  },
  {
    name: 'answer of a server that may be a page',
    patterns: [...COMMON, ...behind('<!doctype '), ...behind('<html')],
    feed: (bytes) => [
      looksLikePage(bytes),
      compressedAnswer({ 'content-encoding': bytes.toString('latin1') }, 'https://a/b'),
    ],
  },
];
