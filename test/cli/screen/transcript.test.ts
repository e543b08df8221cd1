import { describe, expect, test } from 'vitest';
import { createLineWriter } from '../../../src/cli/screen/line-writer.ts';
import { createTranscript } from '../../../src/cli/screen/transcript.ts';
import { recordingStream } from '../../../src/cli/text-stream.ts';
import type { BuilditEvent } from '../../../src/model/events.ts';

const TITLE = 'Sysadmin42/nginx-production-1.7.6-p1';
const NGINX = `86c8ef43f4a439ba20ee92900211c7b6${'0'.repeat(32)}`;
const PCRE = 'a'.repeat(64);
const ZLIB = 'b'.repeat(64);

function started(hash: string, label: string): BuilditEvent {
  return { kind: 'package-started', hash, label, platform: 'linux/amd64' };
}

function missed(hash: string): BuilditEvent {
  return { kind: 'package-missed', hash, reason: 'never built' };
}

function built(hash: string): BuilditEvent {
  return { kind: 'package-built', hash };
}

const CONTAINER: BuilditEvent = { kind: 'container-started', title: TITLE };
const ACI = `${TITLE} as ACI`;

function transcriptOf(events: readonly BuilditEvent[], { piecewise = false } = {}): string[] {
  const transcript = createTranscript();
  const { stream, text } = recordingStream();
  const writer = createLineWriter(stream, { piecewise });
  for (const event of events) writer.write(transcript.apply(event));
  writer.write(transcript.finish());
  return text().split('\n').slice(0, -1);
}

describe('the transcript', () => {
  test('is the founding one for a package that is built and packed', () => {
    const lines = transcriptOf([
      CONTAINER,
      started(NGINX, "package from './pkgs/nginx'"),
      missed(NGINX),
      built(NGINX),
      { kind: 'image-started', label: ACI },
      { kind: 'image-finished', label: ACI, results: [] },
    ]);
    expect(lines).toEqual([
      'Building Sysadmin42/nginx-production-1.7.6-p1',
      "Processing package from './pkgs/nginx' for linux/amd64.",
      'HASH: 86c8ef43-f4a4-89ba-a0ee-92900211c7b6',
      "Can't find HASH in any known location...",
      'Defaulting to local build... [OK]',
      'Packaging Sysadmin42/nginx-production-1.7.6-p1 as ACI... [OK]',
    ]);
  });

  test('says where a package was found in place of the lines about building', () => {
    const lines = transcriptOf([
      started(PCRE, "package 'dev-libs/pcre2'"),
      { kind: 'package-found', hash: PCRE, place: 'locally' },
      started(ZLIB, "package 'sys-libs/zlib'"),
      { kind: 'package-found', hash: ZLIB, place: 'mysuperbinhost' },
    ]);
    expect(lines.filter((line) => line.startsWith('Found'))).toEqual([
      'Found HASH locally... [OK]',
      "Found HASH at 'mysuperbinhost'... [OK]",
    ]);
  });

  test('says what is built because somebody asked for it, and what was found and cannot be used', () => {
    const lines = transcriptOf([
      started(PCRE, 'a'),
      { kind: 'package-missed', hash: PCRE, reason: 'asked for', asked: '--from-source' },
      built(PCRE),
      started(ZLIB, 'b'),
      { kind: 'package-missed', hash: ZLIB, reason: 'gone', unusable: 'its files are no longer in the store' },
      built(ZLIB),
    ]);
    expect(lines.filter((line) => !/^(Processing|HASH)/.test(line))).toEqual([
      'Building locally because of --from-source... [OK]',
      "Found HASH, but can't use it: its files are no longer in the store...",
      'Defaulting to local build... [OK]',
    ]);
  });

  test('says what was not built because something that it needs failed', () => {
    const lines = transcriptOf([
      ...[started(PCRE, 'a'), started(ZLIB, 'b'), missed(PCRE)],
      { kind: 'package-failed', hash: PCRE },
      { kind: 'package-skipped', hash: ZLIB, needs: ['dev-libs/pcre2'] },
    ]);
    expect(lines.at(-1)).toBe('Not built: it needs dev-libs/pcre2, which failed');
  });

  test('shows packages in the order they were started, whatever ends first', () => {
    const inOrder = transcriptOf([
      ...[started(PCRE, 'a'), missed(PCRE), built(PCRE)],
      ...[started(ZLIB, 'b'), missed(ZLIB), built(ZLIB)],
    ]);
    const mixed = transcriptOf([
      ...[started(PCRE, 'a'), started(ZLIB, 'b'), missed(ZLIB), missed(PCRE), built(ZLIB), built(PCRE)],
    ]);
    expect(mixed).toEqual(inOrder);
    expect(mixed).toHaveLength(8);
  });

  test('ends the line of what failed with [FAILED], and of what was given up with [CANCELLED]', () => {
    const lines = transcriptOf([
      ...[started(PCRE, 'a'), started(ZLIB, 'b'), started(NGINX, 'c')],
      ...[missed(PCRE), missed(ZLIB), missed(NGINX), { kind: 'package-failed', hash: ZLIB } as const],
    ]);
    expect(lines.filter((line) => line.startsWith('Defaulting'))).toEqual([
      'Defaulting to local build... [CANCELLED]',
      'Defaulting to local build... [FAILED]',
    ]);
    expect(lines.some((line) => line.includes('Processing c'))).toBe(false);
  });

  test('shows a failed image as failed', () => {
    expect(
      transcriptOf([
        { kind: 'image-started', label: ACI },
        { kind: 'image-failed', label: ACI },
      ]),
    ).toEqual([`Packaging ${ACI}... [FAILED]`]);
  });

  test('makes control characters in names visible', () => {
    expect(transcriptOf([{ kind: 'container-started', title: 'evil\u001b[2Jname' }])).toEqual([
      'Building evil\\u001b[2Jname',
    ]);
  });
});

describe('the line writer', () => {
  const halves = [
    { text: 'Defaulting to local build...', endsLine: false },
    { text: ' [OK]', endsLine: true },
  ];

  test('writes only whole lines to a log', () => {
    const { stream, text } = recordingStream();
    const writer = createLineWriter(stream, { piecewise: false });
    writer.write(halves.slice(0, 1));
    expect(text()).toBe('');
    writer.write(halves.slice(1));
    expect(text()).toBe('Defaulting to local build... [OK]\n');
  });

  test('shows the beginning of a line on a terminal at once', () => {
    const { stream, text } = recordingStream();
    const writer = createLineWriter(stream, { piecewise: true });
    writer.write(halves.slice(0, 1));
    expect(text()).toBe('Defaulting to local build...');
    writer.write(halves.slice(1));
    expect(text()).toBe('Defaulting to local build... [OK]\n');
  });

  test('says a line again that a message broke off', () => {
    const { stream, text } = recordingStream();
    const writer = createLineWriter(stream, { piecewise: true });
    writer.write(halves.slice(0, 1));
    writer.around(() => stream.write('warning: slow mirror\n'));
    writer.write(halves.slice(1));
    expect(text()).toBe('Defaulting to local build...\nwarning: slow mirror\nDefaulting to local build... [OK]\n');
  });
});
