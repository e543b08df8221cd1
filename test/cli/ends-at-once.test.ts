import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { installation } from '../support/run-buildit.ts';
import { startSshd } from '../support/sshd.ts';
import { writeTinyContainer } from '../support/tiny-container.ts';
import { traversableDirectory } from '../support/traversable-directory.ts';

/** Each asks the binhost, and most of them fail there or behind it. */
const VERBS = [
  ['plan', 'tiny'],
  ['build', '--binary-only', 'tiny'],
  ['build', '-k', '--binary-only', 'tiny', 'nowhere'],
  ['push', '--binary-only', 'tiny'],
  ['rebuild', '--affected-by=test/tiny', '--binary-only', '--force', 'tiny'],
  ['hash', '--explain', 'tiny', 'test/tiny'],
  ['why', '--binary-only', 'tiny', 'test/none'],
  ['test', 'tiny'],
  ['log', 'tiny'],
  ['shell', 'tiny', 'test/none'],
  ['pull', 'nothing'],
  ['search', 'nothing'],
  ['show', 'test/nothing'],
  ['binhost', 'ls'],
  ['binhost', 'verify'],
  ['discover', 'tiny'],
];

const FEW = VERBS.filter(([verb]) => verb === 'plan' || verb === 'push' || verb === 'pull');

interface End {
  readonly verb: string;
  readonly exitCode: number;
  readonly open: readonly string[];
}

/** Runs all verbs in one process whose user has a repository at a place, and gives how each ended. */
async function endsWith(
  repository: string,
  { home, verbs = VERBS }: { readonly home: string; readonly verbs?: typeof VERBS },
): Promise<readonly End[]> {
  const cwd = traversableDirectory();
  mkdirSync(join(home, '.config/buildit'), { recursive: true });
  writeFileSync(join(home, '.config/buildit/config.yaml'), `repository: {name: shelf, ${repository}}\n`);
  writeTinyContainer(join(cwd, 'tiny'));
  const program = fileURLToPath(new URL('programs/verbs-one-by-one.mjs', import.meta.url));
  const child = spawn(process.execPath, [program, installation, ...verbs.map((verb) => JSON.stringify(verb))], {
    cwd,
    env: { PATH: process.env.PATH, HOME: home, BUILDIT_STORE: join(cwd, 'store'), LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  await new Promise((resolve) => child.on('close', resolve));
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as readonly End[];
}

function expectClosed(ends: readonly End[], count = VERBS.length): void {
  expect(ends.filter(({ open }) => open.length > 0)).toEqual([]);
  expect(ends.filter(({ exitCode }) => exitCode === 70)).toEqual([]);
  expect(ends).toHaveLength(count);
  expect(ends.filter(({ exitCode }) => exitCode !== 0).length).toBeGreaterThanOrEqual(count / 2);
}

describe('a verb leaves no connection open, whether it fails or not,', () => {
  requires('sshd', 'ssh', 'ssh-keygen').test.each([['builtin'], ['system']])(
    'where the binhost is asked over SSH by the %s driver',
    async (driver) => {
      const { at, directory, home } = await startSshd();
      const both = ['download', 'upload'].map((way) => `${way}-type: ssh, ${way}-path: "${at}/${directory}/place"`);
      const verbs = driver === 'builtin' ? VERBS : FEW;
      expectClosed(await endsWith(`driver: ${driver}, ${both.join(', ')}`, { home, verbs }), verbs.length);
    },
  );

  test.each([
    ['answers in full and keeps the connection', false],
    ['never finishes its answer', true],
  ])('where a web server %s', async (_, stalls) => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.writeHead(stalls ? 200 : 404, { 'content-length': 100 });
      response.write('x'.repeat(stalls ? 10 : 100));
      if (!stalls) response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const repository = `download-type: http, download-path: "127.0.0.1:${port}/place", timeout: 1s`;
    const verbs = stalls ? FEW : VERBS;
    expectClosed(await endsWith(repository, { home: traversableDirectory(), verbs }), verbs.length);
    expect(asked).toBeGreaterThanOrEqual(verbs.length / 2);
  });
});
