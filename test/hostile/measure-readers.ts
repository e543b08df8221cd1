import { readFileSync, writeFileSync } from 'node:fs';
import { type HostileReader, isDefect, type Pattern } from './hostile-reader.ts';

export interface Measurement {
  readonly reader: string;
  /** The pattern that took longest. */
  readonly pattern: string;
  readonly bytes: number;
  /** Of processor time, that of programs it started included. */
  readonly ms: number;
  /** By which the largest resident set of any pattern grew; programs that it started are not counted. */
  readonly mb: number;
  readonly answer: string;
  readonly defects: readonly string[];
}

export const LIMITS = { ms: 1000, mb: 256 } as const;

const SCAN_BYTES = 16_000;
const FULL_BYTES = 1_000_000;
const CHOSEN = 2;

/** Tries every pattern on 16 kB, then 1 MB of the two that took longest. */
export async function measureReader(reader: HostileReader): Promise<Measurement> {
  const { name, patterns, mostBytes = FULL_BYTES } = reader;
  const defects: string[] = [];
  const scanned: { readonly pattern: Pattern; readonly ms: number }[] = [];
  for (const pattern of patterns) {
    const { ms, defect } = await feed(reader, pattern, Math.min(SCAN_BYTES, mostBytes));
    if (defect !== undefined) defects.push(`${pattern.name}: ${defect}`);
    scanned.push({ pattern, ms });
    if (ms > LIMITS.ms) break;
  }
  const chosen = scanned.sort((a, b) => b.ms - a.ms).slice(0, CHOSEN);
  let worst = { pattern: 'none', bytes: 0, ms: -1, answer: '' };
  let mb = 0;
  for (const { pattern } of chosen) {
    const found = await feed(reader, pattern, Math.min(FULL_BYTES, mostBytes));
    if (found.defect !== undefined) defects.push(`${pattern.name}: ${found.defect}`);
    if (found.ms > worst.ms) worst = { pattern: pattern.name, ...found };
    mb = Math.max(mb, found.mb);
    if (found.ms > LIMITS.ms) break;
  }
  const { pattern, bytes, ms, answer } = worst;
  return { reader: name, pattern, bytes, ms, mb, answer, defects };
}

interface Feeding {
  readonly bytes: number;
  readonly ms: number;
  readonly mb: number;
  readonly answer: string;
  readonly defect: string | undefined;
}

async function feed(reader: HostileReader, pattern: Pattern, size: number): Promise<Feeding> {
  const input = pattern.make(size);
  const isFull = size > SCAN_BYTES || size === reader.mostBytes;
  if (isFull) globalThis.gc?.();
  const rss = isFull ? resetPeak() : 0;
  const before = processorMs();
  let answer = 'read';
  let defect: string | undefined;
  try {
    await reader.feed(input);
  } catch (error) {
    answer = firstLine(error);
    if (isDefect(error, reader)) defect = error instanceof Error ? (error.stack ?? answer) : answer;
  }
  const ms = processorMs() - before;
  return { bytes: input.length, ms, mb: isFull ? (peakRss() - rss) / 2 ** 20 : 0, answer, defect };
}

function firstLine(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [error];
  return `${error.name}: ${(first ?? error).message.split('\n', 1)[0]!.slice(0, 60)}`;
}

/** proc(5): `clear_refs` 5 sets the peak of the resident set to what it is now. Answers that, in bytes. */
function resetPeak(): number {
  writeFileSync('/proc/self/clear_refs', '5');
  return peakRss();
}

function peakRss(): number {
  return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))![1]) * 1024;
}

/** Of this process, and of programs that it started and that ended; the latter in hundredths of a second. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const [childUser, childSystem] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(13, 15)
    .map(Number);
  return (user + system) / 1000 + (childUser! + childSystem!) * 10;
}

/** Lines of aligned columns, the slowest reader first. */
export function measurementTable(measured: readonly Measurement[]): string {
  const rows = [...measured]
    .sort((a, b) => b.ms - a.ms)
    .map(({ reader, pattern, ms, mb, answer }) => [reader, ms.toFixed(0), mb.toFixed(0), pattern, answer]);
  const all = [['reader', 'ms', 'MB', 'worst pattern', 'answer'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
