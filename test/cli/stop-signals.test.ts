import { expect, test } from 'vitest';
import { programCommand, startProgram } from '../support/run-program.ts';

const command = (mode: string) => programCommand(new URL('programs/stopped-run.ts', import.meta.url), mode);

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s lets a run clear up and ends it with %i', async (signal, exitCode) => {
  const run = startProgram(command('obedient'));
  await run.nextLine();
  run.child.kill(signal);
  const ended = await run.ended();
  expect(ended.exitCode).toBe(exitCode);
  expect(ended.stdout).toContain('cleared up');
});

test('a second SIGHUP, as a terminal that closes sends it, ends nothing at once', async () => {
  const hungUp = startProgram(command('stubborn'));
  await hungUp.nextLine();
  hungUp.child.kill('SIGHUP');
  expect(await hungUp.nextLine()).toBe('asked to stop');
  hungUp.child.kill('SIGHUP');
  hungUp.child.kill('SIGINT');
  expect((await hungUp.ended()).exitCode).toBe(130);
});

test('a second signal ends a run that does not clear up', async () => {
  const run = startProgram(command('stubborn'));
  await run.nextLine();
  run.child.kill('SIGINT');
  expect(await run.nextLine()).toBe('asked to stop');
  run.child.kill('SIGINT');
  expect((await run.ended()).exitCode).toBe(130);
});
