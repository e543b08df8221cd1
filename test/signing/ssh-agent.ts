import { execFileSync, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';

/** A real ssh-agent with a socket of its own, which ends with the test. */
export async function startAgent(): Promise<{ readonly socket: string; add(path: string, passphrase?: string): void }> {
  const socket = join(temporaryDirectory(), 'agent');
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  onTestFinished(() => void child.kill());
  while (!existsSync(socket)) await delay(10);
  return {
    socket,
    add(path, passphrase) {
      // Without a terminal ssh-add asks the program SSH_ASKPASS for the passphrase.
      const environment = {
        ...process.env,
        SSH_AUTH_SOCK: socket,
        SSH_ASKPASS_REQUIRE: 'force',
        PASSPHRASE: passphrase,
      };
      const askPass = join(temporaryDirectory(), 'print-passphrase');
      writeFileSync(askPass, '#!/bin/sh\necho "$PASSPHRASE"\n', { mode: 0o755 });
      execFileSync('ssh-add', ['-q', path], { env: { ...environment, SSH_ASKPASS: askPass }, stdio: 'ignore' });
    },
  };
}

/** A socket that answers every message as it is told. */
export async function startFalseAgent(answer: (connection: Socket, request: Buffer) => void): Promise<string> {
  const path = join(temporaryDirectory(), 'agent');
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.on('data', (request) => answer(connection, request));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}
