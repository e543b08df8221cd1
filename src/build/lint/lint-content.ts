import { type FileHandle, open } from 'node:fs/promises';
import { withElfFile } from '../../layer/draft-place.ts';
import { looksLikeElf } from '../../layer/elf.ts';
import { readElfTraits } from '../../layer/elf-traits.ts';
import { fileContent } from '../../layer/tree-content.ts';
import { append } from '../../model/append.ts';
import type { LayerEntry, LayerListing } from '../../model/layer.ts';
import type { OutputFinding } from '../../model/output-lint.ts';
import { BuildPathScanner, type FoundBuildPath } from './build-path-scanner.ts';
import { machineOf } from './machine-triplet.ts';

type FileEntry = Extract<LayerEntry, { type: 'file' }>;

/** What was stripped from elsewhere. */
const DEBUG_FILES = 'usr/lib/debug/';

const BYTES_BETWEEN_PAUSES = 8 * 2 ** 20;

/** Judges what is in the files of a layer, and where its symbolic links lead. `tree` is where it lies unpacked. */
export async function lintContent(
  tree: string,
  listing: LayerListing,
  platform: string,
): Promise<readonly OutputFinding[]> {
  const findings: OutputFinding[] = [];
  let unpausedBytes = 0;
  for (const entry of listing) {
    if (entry.type === 'symlink') append(findings, lintTarget(entry.path, entry.target));
    if (entry.type !== 'file') continue;
    append(findings, await lintFile(tree, entry, platform));
    unpausedBytes += entry.size;
    if (unpausedBytes < BYTES_BETWEEN_PAUSES) continue;
    // Small files are read synchronously: without a pause nothing else would get a turn.
    unpausedBytes = 0;
    await new Promise((resume) => setImmediate(resume));
  }
  return findings;
}

function lintTarget(path: string, target: string): readonly OutputFinding[] {
  const scanner = new BuildPathScanner();
  scanner.push(Buffer.from(target));
  return scanner.finish() === undefined ? [] : [{ code: 'build-path', path, found: `a link to ${target}` }];
}

async function lintFile(tree: string, { path, size }: FileEntry, platform: string): Promise<readonly OutputFinding[]> {
  const place = `${tree}/${path}`;
  const scanner = new BuildPathScanner();
  let isElf = false;
  let isFirst = true;
  const content = fileContent(place, size);
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    if (isFirst) isElf = looksLikeElf(chunk);
    isFirst = false;
    if (!scanner.push(chunk)) break;
  }
  const found = scanner.finish();
  return [
    ...(found === undefined
      ? []
      : [{ code: 'build-path', path, found: `${found.text} ${await placeIn(place, found)}` } as const]),
    ...(isElf ? lintElf(place, path, platform) : []),
  ];
}

function lintElf(place: string, path: string, platform: string): readonly OutputFinding[] {
  const findings: OutputFinding[] = [];
  withElfFile(place, (source) => {
    const traits = readElfTraits(source);
    if (traits === undefined) return;
    const { machine } = traits;
    if (machine !== undefined && machine !== machineOf(platform)) {
      findings.push({ code: 'wrong-machine', path, found: `a file for ${machine}` });
    }
    if (traits.hasExecutableStack) findings.push({ code: 'executable-stack', path, found: 'an executable stack' });
    if (traits.hasTextRelocations) findings.push({ code: 'text-relocation', path, found: 'relocations in its code' });
    if (traits.hasSymbols && !path.startsWith(DEBUG_FILES))
      findings.push({ code: 'unstripped', path, found: 'its symbol table or debug information' });
  });
  return findings;
}

/** A text longer than this has its place told in bytes, as files that are no text have. */
const MOST_TEXT_BYTES = 16 * 2 ** 20;

/** Files that hold NUL are no text; most have one early. */
const LOOK_AHEAD = 1024;

/** `in line 3, column 7`, or where the file is no text `at byte 8192`. */
async function placeIn(path: string, { offset }: FoundBuildPath): Promise<string> {
  const file = await open(path, 'r');
  try {
    const start = offset > MOST_TEXT_BYTES ? undefined : await readStart(file, offset + LOOK_AHEAD);
    if (start === undefined || start.includes(0)) return `at byte ${offset}`;
    const lines = start.toString('utf8', 0, offset).split('\n');
    return `in line ${lines.length}, column ${lines.at(-1)!.length + 1}`;
  } finally {
    await file.close();
  }
}

async function readStart(file: FileHandle, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
  return buffer.subarray(0, bytesRead);
}
