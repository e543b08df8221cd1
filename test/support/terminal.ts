import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { programPath } from './requires.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** A program in a real terminal: tmux with a server of its own, which ends with the test. */
export interface Terminal {
  /** What is on the screen, line by line, without the empty lines at its end. */
  screen(): string[];
  /** Waits until the screen is as wanted; fails with what was there instead. */
  until(isWanted: (lines: readonly string[]) => boolean): Promise<string[]>;
  press(...keys: readonly string[]): void;
  resize(columns: number, rows: number): void;
}

const PATIENCE_MS = 10_000;

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  /** Where the program is started. */
  readonly directory?: string;
  /** Besides, or in place of, the environment of the tests. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long `until` waits. */
  readonly patienceMs?: number;
}

export function openTerminal(
  command: readonly string[],
  { columns = 80, rows = 24, directory = '/', environment = {}, patienceMs = PATIENCE_MS }: TerminalOptions = {},
): Terminal {
  const socket = join(temporaryDirectory(), 'tmux');
  const tmux = (...parameters: readonly string[]) =>
    execFileSync(programPath('tmux')!, ['-S', socket, '-f', '/dev/null', ...parameters], {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', ...environment },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  onTestFinished(() => {
    try {
      tmux('kill-server');
    } catch {
      // It ended by itself.
    }
  });
  const quoted = command.map((part) => `'${part.replaceAll("'", "'\\''")}'`).join(' ');
  const size = ['-x', String(columns), '-y', String(rows)];
  tmux('new-session', '-d', ...size, '-c', directory, `${quoted}; echo "exit code $?"; exec sleep 60`);
  const screen = () => tmux('capture-pane', '-p').trimEnd().split('\n');
  return {
    screen,
    async until(isWanted) {
      for (const start = Date.now(); ; await delay(30)) {
        const lines = screen();
        if (isWanted(lines)) return lines;
        if (Date.now() - start > patienceMs) throw new Error(`The screen shows:\n${lines.join('\n')}`);
      }
    },
    press: (...keys) => void tmux('send-keys', ...keys),
    resize: (width, height) => void tmux('resize-window', '-x', String(width), '-y', String(height)),
  };
}
