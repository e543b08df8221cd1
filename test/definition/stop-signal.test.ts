import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parseStopSignal } from '../../src/definition/stop-signal.ts';
import { mistakesOf, project } from './project.ts';

describe('a stop signal', () => {
  test.each([
    ['SIGQUIT', 'SIGQUIT'],
    ['QUIT', 'SIGQUIT'],
    ['sigquit', 'SIGQUIT'],
    ['Winch', 'SIGWINCH'],
    ['SIGCLD', 'SIGCHLD'],
    ['POLL', 'SIGIO'],
    ['SIGRTMIN', 'SIGRTMIN'],
    ['SIGRTMIN+0', 'SIGRTMIN'],
    ['sigrtmin+3', 'SIGRTMIN+3'],
    ['SIGRTMIN+15', 'SIGRTMIN+15'],
    // Docker has no name above +15.
    ['SIGRTMIN+16', 'SIGRTMAX-14'],
    ['RTMIN+30', 'SIGRTMAX'],
    ['RTMAX-30', 'SIGRTMIN'],
    ['RTMAX-20', 'SIGRTMIN+10'],
    ['1', '1'],
    ['64', '64'],
  ])('%s is %s', (text, signal) => {
    expect(parseStopSignal(text)).toEqual({ kind: 'signal', text: signal });
  });

  test.each([
    ['SIGQIUT', 'did you mean "SIGQUIT"?'],
    ['TREM', 'did you mean "SIGTERM"?'],
    ['SIGUSR3', 'did you mean "SIGUSR1"?'],
    ['SIGFOO', 'signal(7) lists the signals of Linux'],
    ['SIGSIGQUIT', 'signal(7) lists the signals of Linux'],
    ['SIG+-1', 'signal(7) lists the signals of Linux'],
    ['SIG', 'signal(7) lists the signals of Linux'],
    ['', 'signal(7) lists the signals of Linux'],
    ['0', 'signals have the numbers 1 to 64'],
    ['65', 'signals have the numbers 1 to 64'],
    ['015', 'signals have the numbers 1 to 64'],
    ['SIG9', 'signal(7) lists the signals of Linux'],
    ['-9', 'signal(7) lists the signals of Linux'],
    ['SIGRTMIN+31', 'real-time signals are SIGRTMIN+1 to SIGRTMIN+30'],
    ['SIGRTMIN-1', 'real-time signals are SIGRTMIN+1 to SIGRTMIN+30'],
    ['SIGRTMAX+1', 'real-time signals are SIGRTMIN+1 to SIGRTMIN+30'],
    ['SIGRTMIN+03', 'real-time signals are SIGRTMIN+1 to SIGRTMIN+30'],
    [' SIGQUIT', 'signal(7) lists the signals of Linux'],
  ])('%j is refused', (text, hint) => {
    expect(parseStopSignal(text)).toEqual({ kind: 'unknown', hint });
  });

  test('every signal of this machine is known', () => {
    const names = execFileSync('bash', ['-c', 'for n in {1..31} {34..64}; do kill -l $n; done'], { encoding: 'utf8' });
    for (const name of names.trim().split('\n')) expect(parseStopSignal(name)).toMatchObject({ kind: 'signal' });
  });
});

describe('what an engine would refuse', () => {
  const config = async (text: string) =>
    mistakesOf(
      project({
        'container.yaml': `- vars: {name: web, version: 1}\n- image:\n    type: oci\n    config:\n      ${text}\n`,
      }),
    );

  test.each([
    ['stop-signal: SIGQIUT', 'container.yaml:5:20', 'did you mean "SIGQUIT"?'],
    ['user: "2147483648"', 'container.yaml:5:13', 'user or user:group'],
    ['user: "web:4294967295"', 'container.yaml:5:13', 'user or user:group'],
    ['ports: [0]', 'container.yaml:5:15', 'a port such as 80/tcp'],
    ['ports: [80/icmp]', 'container.yaml:5:15', 'a port such as 80/tcp'],
    ['ports: [80/tcp, 65536]', 'container.yaml:5:23', 'a port such as 80/tcp'],
    ['volumes: [data]', 'container.yaml:5:17', 'an absolute path'],
    ['working-directory: srv', 'container.yaml:5:26', 'an absolute path'],
    ['environment: {"A=B": 1}', 'container.yaml:5:21', 'a variable name'],
    ['environment: {A: "a\\0b"}', 'container.yaml:5:24', 'a text without NUL'],
    ['labels: {a: "a\\0b"}', 'container.yaml:5:19', 'a text without NUL'],
    ['entrypoint: [/bin/a, "a\\0b"]', 'container.yaml:5:28', 'a text without NUL'],
    ['entrypoint: [""]', 'container.yaml:5:20', 'a program to start'],
    ['cmd: ["", a]', 'container.yaml:5:13', 'a program to start'],
  ])('%s is refused at its place', async (text, place, expected) => {
    const mistakes = (await config(text)).join('\n');
    expect(mistakes).toContain(place);
    expect(mistakes).toContain(expected);
  });

  test('an empty argument is none', async () => {
    expect(await config('{entrypoint: [/bin/a, ""], cmd: [""], stop-signal: quit}')).toEqual([]);
  });
});
