import { spawnSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { setImmediate as soon } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ANSWER_USAGE, createIpcMeter } from '../../src/build/ipc-usage.ts';
import { requires } from '../support/requires.ts';

/** A channel at whose other end a test answers. */
function channel() {
  const questions = new PassThrough();
  const answers = new PassThrough();
  const duplex = Object.assign(answers, { write: (text: string) => questions.write(text) });
  return { duplex, questions, say: (text: string) => answers.push(text) };
}

describe('the meter of System V objects', () => {
  test('asks each time, and tells the last answer', async () => {
    const { duplex, questions, say } = channel();
    const meter = createIpcMeter(duplex);
    expect(meter.measure()).toEqual({ bytes: 0, silent: false });
    expect([questions.read(), meter.heard()]).toEqual([null, false]);
    say('0\n');
    await soon();
    expect([meter.measure(), meter.heard()]).toEqual([{ bytes: 0, silent: false }, true]);
    say('4096\n');
    await soon();
    expect(meter.measure()).toEqual({ bytes: 4096, silent: false });
    say('81');
    say('92\n12');
    await soon();
    expect(meter.measure().bytes).toBe(8192);
    expect(String(questions.read())).toBe('?\n?\n?\n');
  });

  test('takes an answer that does not come for a sign that the one who counts was stopped', async () => {
    const { duplex, say } = channel();
    let now = 0;
    const meter = createIpcMeter(duplex, () => now);
    expect(Array.from({ length: 100 }, () => meter.measure().silent)).not.toContain(true);
    say('0\n');
    await soon();
    const asked = (times: number) => Array.from({ length: times }, () => meter.measure().silent);
    expect(asked(60)).not.toContain(true);
    expect(asked(1)).toEqual([false]);
    now = 31_000;
    expect(asked(1)).toEqual([true]);
    say('1\n');
    await soon();
    expect(asked(60)).not.toContain(true);
  });

  test('holds no more than the last line of what is said', async () => {
    const { duplex, say } = channel();
    const meter = createIpcMeter(duplex);
    say('9'.repeat(100_000));
    say('\n77\n');
    await soon();
    expect(meter.measure().bytes).toBe(77);
  });
});

requires('user namespaces', 'unshare', 'perl').test('segments, messages and semaphores all count', () => {
  const make =
    '$i = shmget(0, 1 << 20, 01600) // die $!; shmwrite($i, "a" x (1 << 20), 0, 1 << 20) or die $!;' +
    '$q = msgget(0, 01600) // die $!; msgsnd($q, pack("l! a*", 1, "b" x 1000), 0) or die $!; semget(0, 100, 01600) // die $!';
  const script = `${ANSWER_USAGE}\nanswer_usage 1; perl -e '${make}'; answer_usage 1`;
  const { stdout, stderr } = spawnSync('unshare', ['-Ur', '-i', 'bash', '-c', script], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toBe(`0\n${2 ** 20 + (1000 + 64 + 256) + (100 * 64 + 256)}\n`);
});
