import { expect, test } from 'vitest';
import { coloursFor } from '../../src/cli/colours.ts';
import { exitCodeOf } from '../../src/cli/exit-code.ts';
import { type ErrorStyle, renderBug, renderError } from '../../src/cli/render-error.ts';
import { understoodErrors } from '../../src/cli/understood-error.ts';
import { BuilditError, BuilditErrors, type ErrorCode } from '../../src/model/errors.ts';

const style: ErrorStyle = { colours: coloursFor(false, {}), cwd: '/srv/site', verbose: false };

test('an error says what, where with the excerpt, and how to mend it', () => {
  const error = new BuilditError('definition-invalid', 'Cannot read "container.yaml": unknown key "pakage"', {
    position: { file: '/srv/site/nginx/container.yaml', line: 12, column: 3, excerpt: '- pakage:' },
    hint: 'did you mean "package"?',
  });
  expect(renderError(error, style)).toEqual([
    'error: Cannot read "container.yaml": unknown key "pakage"',
    '  nginx/container.yaml:12:3',
    '  12 | - pakage:',
    '     |   ^',
    '  hint: did you mean "package"?',
  ]);
});

test('an error shows its details between the message and the hint', () => {
  const error = new BuilditError(
    'patch-rejected',
    'Cannot apply "pkgs/nginx/patches/port-crypt.patch": hunk 1 of 1 does not match src/os/unix/ngx_user.c at line 21',
    {
      details: ['expected  #ifdef __GLIBC__', 'found     /* work around the glibc bug */'],
      hint: 'buildit shell pkgs/nginx --phase=patch opens the tree before this patch',
    },
  );
  expect(renderError(error, style)).toEqual([
    'error: Cannot apply "pkgs/nginx/patches/port-crypt.patch": hunk 1 of 1 does not match src/os/unix/ngx_user.c at line 21',
    '  expected  #ifdef __GLIBC__',
    '  found     /* work around the glibc bug */',
    '  hint: buildit shell pkgs/nginx --phase=patch opens the tree before this patch',
  ]);
});

test('the caret points at the column in a line with tabs, with control characters, and far to the right', () => {
  const caretOf = (excerpt: string, column: number) => {
    const error = new BuilditError('definition-invalid', 'x', { position: { file: 'a', line: 1, column, excerpt } });
    const [, , line, caret] = renderError(error, style);
    return line![caret!.indexOf('^')];
  };
  expect(caretOf('\t\tkey: value', 3)).toBe('k');
  expect(caretOf('a\u001bb: X', 6)).toBe('X');
  expect(caretOf(`${'x'.repeat(500)}!${'y'.repeat(500)}`, 501)).toBe('!');
});

test('a long line is cut around the place that is meant', () => {
  const excerpt = `${'x'.repeat(5000)}!${'y'.repeat(5000)}`;
  const error = new BuilditError('definition-invalid', 'x', {
    position: { file: 'a', line: 1, column: 5001, excerpt },
  });
  for (const line of renderError(error, style)) expect(line.length).toBeLessThan(130);
});

test('nothing in an error reaches the terminal as a command', () => {
  const error = new BuilditError('input-invalid', 'Cannot read "\u001b[2J"', {
    details: ['\u001b]0;title\u0007'],
    hint: '\u202ereversed',
    position: { file: '/evil\u001b[31m', line: 1, column: 1, excerpt: '\u001b[31m' },
  });
  expect(renderError(error, style).join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
});

test('the chain of causes is shown with -v only', () => {
  const cause = new Error('connect ECONNREFUSED 127.0.0.1:9', { cause: new Error('socket') });
  const error = new BuilditError('unreachable', 'Cannot fetch "https://example.org/x"', { cause });
  expect(renderError(error, style)).toHaveLength(1);
  expect(renderError(error, { ...style, verbose: true }).slice(1)).toEqual([
    '  caused by: connect ECONNREFUSED 127.0.0.1:9',
    '  caused by: socket',
  ]);
});

test('colours are used where asked for and nowhere else', () => {
  const error = new BuilditError('usage', 'Cannot run "x"');
  const coloured = renderError(error, { ...style, colours: coloursFor(true, { TERM: 'xterm' }) });
  expect(coloured[0]).toContain('\u001b[');
  const without = renderError(error, { ...style, colours: coloursFor(true, { TERM: 'xterm', NO_COLOR: '1' }) });
  expect(without).toEqual(['error: Cannot run "x"']);
});

test('a bug says that it is one, with its stack and the versions', () => {
  const lines = renderBug(new TypeError('x is undefined'), '0.1.0', style);
  expect(lines[0]).toBe('error: buildit itself failed; this is a bug');
  expect(lines.join('\n')).toMatch(/TypeError: x is undefined\n.*at .*render-error\.test\.ts/);
  expect(lines.join('\n')).toContain(`buildit 0.1.0, node ${process.version}`);
  expect(exitCodeOf(new TypeError('x'))).toBe(70);
});

test('of several errors all are shown and the first decides the exit code', () => {
  const errors = new BuilditErrors([new BuilditError('patch-rejected', 'a'), new BuilditError('build-failed', 'b')]);
  expect(understoodErrors(errors)?.map(({ message }) => message)).toEqual(['a', 'b']);
  expect(exitCodeOf(errors)).toBe(12);
});

test.each<[string, ErrorCode, number]>([
  ['ENOSPC', 'disk-full', 73],
  ['EROFS', 'cannot-write', 73],
  ['EACCES', 'cannot-write', 73],
  ['EMFILE', 'busy', 75],
])('a failure of the system that no stage explained (%s) is put into words', (code, expected, exitCode) => {
  const error = Object.assign(new Error('raw'), { code, path: '/store/blobs/x', syscall: 'write' });
  const [understood] = understoodErrors(error)!;
  expect(understood!.code).toBe(expected);
  expect(understood!.message).toContain('"/store/blobs/x"');
  expect(understood!.hint).toBeDefined();
  expect(exitCodeOf(understood)).toBe(exitCode);
});

test('anything else unknown stays a bug', () => {
  expect(understoodErrors(new RangeError('x'))).toBeUndefined();
  expect(understoodErrors(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBeUndefined();
});

test.each<[ErrorCode, number]>([
  ['build-failed', 10],
  ['test-failed', 11],
  ['patch-rejected', 12],
  ['not-reproducible', 13],
  ['dependency-unsatisfied', 15],
  ['path-conflict', 15],
  ['undeclared-need', 15],
  ['usage', 64],
  ['definition-invalid', 65],
  ['checksum-mismatch', 65],
  ['file-missing', 66],
  ['unreachable', 69],
  ['cannot-write', 73],
  ['busy', 75],
  ['signature-invalid', 77],
  ['configuration-invalid', 78],
  ['interrupted', 130],
])('%s ends with exit code %i', (code, exitCode) => {
  expect(exitCodeOf(new BuilditError(code, 'x'))).toBe(exitCode);
});
