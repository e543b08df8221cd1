import { expect } from 'vitest';
import { requires } from '../support/requires.ts';
import { programCommand, startProgram } from '../support/run-program.ts';
import { openTerminal } from '../support/terminal.ts';

const command = programCommand(new URL('programs/ask-passphrase.ts', import.meta.url));
const withTerminal = requires('tmux');

withTerminal.test('a passphrase is read without being shown, and can be corrected', async () => {
  const terminal = openTerminal(command);
  await terminal.until((lines) => lines.some((line) => line.startsWith('Passphrase:')));
  terminal.press('wrong', 'C-u', 'sécrex', 'BSpace', 't words', 'Enter');
  const lines = await terminal.until((shown) => shown.some((line) => line.startsWith('exit code')));
  expect(lines).toEqual(['Passphrase:', 'answer: "sécret words"', 'exit code 0']);
});

withTerminal.test('a passphrase that is not given is none', async () => {
  const terminal = openTerminal(command);
  await terminal.until((lines) => lines.some((line) => line.startsWith('Passphrase:')));
  terminal.press('half', 'C-d');
  const lines = await terminal.until((shown) => shown.some((line) => line.startsWith('exit code')));
  expect(lines).toEqual(['Passphrase:', 'answer: null', 'exit code 0']);
});

withTerminal.test('an interrupt ends the program and leaves the terminal as it was', async () => {
  const terminal = openTerminal([
    'sh',
    '-c',
    `${command.map((part) => `'${part}'`).join(' ')}; stty -a | grep -wo echo`,
  ]);
  await terminal.until((lines) => lines.some((line) => line.startsWith('Passphrase:')));
  terminal.press('C-c');
  const lines = await terminal.until((shown) => shown.some((line) => line.startsWith('exit code')));
  expect(lines).toContain('echo');
});

withTerminal.test('nobody is asked where there is no terminal', async () => {
  expect((await startProgram(command).ended()).stdout).toBe('answer: null\n');
});
