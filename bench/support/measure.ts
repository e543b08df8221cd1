import { readFileSync } from 'node:fs';

/** One of the things that are compared: something to run, and what has to be put right around each run. */
export interface Contender {
  readonly name: string;
  prepare?(): void | Promise<void>;
  run(): void | Promise<void>;
  /** Tidies up after each run, outside the measured time. */
  after?(): void | Promise<void>;
}

/** Milliseconds of each run, in the order they were made. */
export interface Series {
  readonly name: string;
  readonly wallMs: readonly number[];
  /** User and system time of this process and of its children that have ended. */
  readonly cpuMs: readonly number[];
}

/**
 * Runs contenders in turn, so that what else the machine does meets all of them; each round begins with another one.
 * Answers one series for each, in the order they were given.
 */
export async function interleave(contenders: readonly Contender[], repetitions: number): Promise<readonly Series[]> {
  const series = contenders.map(({ name }) => ({ name, wallMs: [] as number[], cpuMs: [] as number[] }));
  for (let round = 0; round < repetitions; round += 1) {
    for (let turn = 0; turn < contenders.length; turn += 1) {
      const index = (round + turn) % contenders.length;
      const { prepare, run, after } = contenders[index]!;
      await prepare?.();
      const cpuBefore = cpuMs();
      const before = performance.now();
      await run();
      series[index]!.wallMs.push(performance.now() - before);
      series[index]!.cpuMs.push(cpuMs() - cpuBefore);
      await after?.();
    }
  }
  return series;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Fields 14 to 17 of /proc/self/stat count in hundredths of a second (proc(5); USER_HZ is 100 on Linux). */
function cpuMs(): number {
  const text = readFileSync('/proc/self/stat', 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field) * 10, 0);
}
