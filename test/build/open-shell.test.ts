import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { requires } from '../support/requires.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';
import type { AskedShell } from './run-shell.ts';

const program = fileURLToPath(new URL('run-shell.ts', import.meta.url));
const loader = fileURLToPath(import.meta.resolve('tsx'));

/** Opens these shells one after the other. Answers what each said, its exit code or error last. */
async function shells(directory: string, asked: readonly AskedShell[]): Promise<string[]> {
  const words = ['--import', loader, program, directory, JSON.stringify(asked)];
  const { output } = await finished(process.execPath, words, '');
  return output.split(/^shell \d+\n/m).slice(1);
}

async function finished(command: string, words: readonly string[], input: string) {
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}

const command = ['/usr/bin/bash', '-c', 'ls; cat patched state 2>/dev/null; pwd; id -u; exit 7'];
const patches = ['one', 'two'];

requires('bwrap', 'user namespaces').test('a shell opens before a phase, everything earlier done', async () => {
  const directory = traversableDirectory();
  const [first, beforeBuild, beforeInstall, beforePatch, allApply, beforeUnpack] = await shells(directory, [
    { patches, command },
    { patches, command, phase: 'build' },
    { patches, command, phase: 'install' },
    { patches: ['one', 'bad', 'two'], command, phase: 'patch' },
    { patches, command, phase: 'patch' },
    { patches, command, phase: 'unpack' },
  ]);
  const end = '/build/src\n1000\nexit code 7\n';
  expect(first).toBe(`a\npatched\none\ntwo\n${end}`);
  expect(beforeBuild).toBe(`a\npatched\nstate\none\ntwo\nconfigured\n${end}`);
  expect(beforeInstall).toBe(
    'build-failed\nCannot open "app-misc/probe" before install: build: exit code 1\n| oops\nchoose --phase=build\n',
  );
  expect(beforePatch).toBe(`a\npatched\none\n${end}`);
  expect(allApply).toBe(`a\n${end}`);
  expect(beforeUnpack).toBe(end);
  expect(readdirSync(join(directory, 'store/temporary/0'))).toEqual([]);
});

requires('bwrap', 'user namespaces').test(
  'a shell opens a failed build that was kept, and leaves it there',
  async () => {
    const directory = traversableDirectory();
    const [none, failed, again] = await shells(directory, [
      { patches, command, failed: true },
      { patches, command, failed: true, build: true },
      { patches, command, failed: true },
    ]);
    expect(none).toMatch(
      /^file-missing\nCannot open the failed build of "app-misc\/probe": expected one that was kept/,
    );
    expect(none).toContain('--keep-failed');
    expect(failed).toContain('configured\nbuilt\n');
    expect(again).toBe(failed);
    expect(readdirSync(join(directory, 'store/failed'))).toHaveLength(1);
  },
);

requires('bwrap', 'user namespaces', 'script').test(
  'a shell on a terminal has job control and cannot type into that terminal',
  { timeout: 30_000 },
  async () => {
    const asked = JSON.stringify([{ patches: [] }]);
    const line = [process.execPath, '--import', loader, program, traversableDirectory(), `'${asked}'`].join(' ');
    const typing = `perl -e '$x = "x"; print ioctl(STDIN, 0x5412, $x) ? "typed" : "refused: $!", "\\n"'`;
    const input = `${typing}; sleep 60 & jobs; kill %1; touch /usr/x; exit 9\n`;
    const { code, output } = await finished('script', ['-qec', line, '/dev/null'], input);
    expect(output).toContain('[app-misc/probe-1.0] /build/src');
    expect(output).toContain('refused: Operation not permitted');
    expect(output).toMatch(/\[1\]\+\s+Running\s+sleep 60 &/);
    expect(output).not.toContain('no job control');
    expect(output).toContain('Read-only file system');
    expect(existsSync('/usr/x')).toBe(false);
    expect(code).toBe(9);
  },
);

requires('bwrap', 'user namespaces').test(
  'a shell without a terminal runs what it reads, and says nothing else',
  async () => {
    const asked = JSON.stringify([{ patches: [] }]);
    const words = ['--import', loader, program, traversableDirectory(), asked];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stdin.end('pwd\nexit 3\n');
    await new Promise((resolve) => child.on('close', resolve));
    expect(output).toBe('shell 0\n/build/src\nexit code 3\n');
  },
);
