import { readFileSync, rmSync } from 'node:fs';
import type { Place } from './place.ts';
import { runProgram } from './run-program.ts';

/** Runs a command line of Node; answers its largest resident memory in MiB, as the kernel tells it at its end. */
export function peakMebibytes(place: Place, [node, ...rest]: readonly string[]): number {
  const path = place.path('peak-memory');
  rmSync(path, { force: true });
  const code = `import { writeFileSync } from 'node:fs';
    process.on('exit', () => writeFileSync(${JSON.stringify(path)}, String(process.resourceUsage().maxRSS)));`;
  runProgram([node!, '--import', `data:text/javascript,${encodeURIComponent(code)}`, ...rest]);
  return Number(readFileSync(path, 'utf8')) / 1024;
}
