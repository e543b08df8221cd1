import { readFileSync } from 'node:fs';

/** The commands that a README tells its reader to type: each block of `sh`, as written. */
export function readmeCommands(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!);
}
