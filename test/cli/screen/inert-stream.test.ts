import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ciServiceOf, inertJson, inertStream } from '../../../src/cli/screen/inert-stream.ts';
import { recordingStream } from '../../../src/cli/text-stream.ts';

/** The lines that GitHub's runner takes for commands: `::name …::` behind white space, `##[name …]` anywhere. */
function workflowCommands(text: string): string[] {
  return text
    .split(/\r\n|\r|\n/)
    .filter((line) => /^[\s\u0085]*::[^\s:]+(?: [^:]*)?::/.test(line) || /##\[[^\]]+\]/.test(line));
}

/** The sections that GitLab folds. */
const SECTION = /section_(?:start|end):\d+:[A-Za-z0-9_.-]+(?:\[[^\]]*\])?\r/;

function written(service: 'github' | 'gitlab' | undefined, ...pieces: string[]): string {
  const record = recordingStream();
  const stream = inertStream(record.stream, service);
  for (const piece of pieces) stream.write(piece);
  return record.text();
}

describe('a stream that GitHub reads', () => {
  test.each([
    ['::error::no', ': :error::no'],
    [' \t::set-output name=a::b', ' \t: :set-output name=a::b'],
    ['\u00a0::add-mask::x', '\u00a0: :add-mask::x'],
    ['\u2003\u3000::debug::x', '\u2003\u3000: :debug::x'],
    ['\u0085::debug::x', '\u0085: :debug::x'],
    ['ok\r::debug::x', 'ok\r: :debug::x'],
    ['a\n\n::debug::x\n', 'a\n\n: :debug::x\n'],
    ['in the middle ##[group]x', 'in the middle ## [group]x'],
    ['###[error]x', '### [error]x'],
    ['::stop-commands::abc', ': :stop-commands::abc'],
  ])('shows %j as %j', (text, shown) => {
    expect(written('github', text)).toBe(shown);
  });

  test.each(['std::string a::b', 'a: b', '# [x]', 'https://[::1]:80/'])('leaves %j as it is', (text) => {
    expect(written('github', text)).toBe(text);
  });

  test('holds no command, in whatever pieces a line is written', () => {
    const piece = fc.array(fc.constantFrom(':', '::', '#', '##', '[', ']', ' ', 'a', '\n', '\r', '\u0085', 'error'), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        expect(workflowCommands(written('github', ...pieces.map((parts) => parts.join(''))))).toEqual([]);
      }),
    );
    expect(workflowCommands('\u0085::error::x\na ##[group]b')).toHaveLength(2);
  });

  test('judges the piece that ends a very long line', () => {
    expect(written('github', ' '.repeat(500), '::debug::x')).toMatch(/ {500}: :debug/);
    expect(written('github', `${'a'.repeat(500)}##`, '[group]')).toMatch(/a## \[group\]$/);
    expect(written('github', 'a'.repeat(500), '::debug::x')).toMatch(/a::debug::x$/);
  });
});

test('a stream that GitLab reads has no section of a build', () => {
  const text = '\u001b[0Ksection_start:1700000000:x[collapsed=true]\r\u001b[0Ktitle';
  expect(text).toMatch(SECTION);
  expect(written('gitlab', text)).not.toMatch(SECTION);
  expect(written('gitlab', 'section_start: a word')).toBe('section_start: a word');
});

test('a stream that nobody parses is left alone', () => {
  expect(written(undefined, '::error::x ##[y]')).toBe('::error::x ##[y]');
});

test('a document has the same value and no command in a line', () => {
  const value = { text: '##[group]x', list: ['::error::y'] };
  const json = inertJson(value, 2);
  expect(JSON.parse(json)).toEqual(value);
  expect(workflowCommands(json)).toEqual([]);
});

test.each([
  [[], { GITHUB_ACTIONS: 'true' }, 'github'],
  [['--progress=plain'], { GITHUB_ACTIONS: 'true' }, 'github'],
  [[], { GITLAB_CI: 'true' }, 'gitlab'],
  [['--progress', 'github'], {}, 'github'],
  [['--progress=gitlab'], {}, 'gitlab'],
  [['--progress=plain'], {}, undefined],
] as const)('%j with %j is read by %s', (argv, environment, service) => {
  expect(ciServiceOf(argv, environment)).toBe(service);
});
