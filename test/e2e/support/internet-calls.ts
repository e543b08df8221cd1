import { readFileSync } from 'node:fs';

/** The command that writes down every socket and connection of a program and its children. */
export function tracingSockets(file: string): readonly string[] {
  return ['strace', '-f', '-qq', '-e', 'trace=socket,connect', '-o', file];
}

/** System calls of a trace that have to do with the internet. */
export function internetCalls(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /AF_INET6?\b/.test(line));
}
