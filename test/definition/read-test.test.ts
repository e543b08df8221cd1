import { describe, expect, test } from 'vitest';
import { type Files, readFiles } from './project.ts';

const CONTAINER = '- vars: {name: x, version: 1}\n- base: none\n- image: {type: oci}\n';

const ofPackage = async (entry: string, files: Files = {}) =>
  (
    await readFiles({ 'pkgs/nginx/pkg.yaml': `name: a/b\nversion: 1.2\nclass: none\ntest: [${entry}]\n`, ...files })
  ).packages.find(({ name }) => name === 'a/b')!.tests[0]!;

const ofContainer = async (entry: string) =>
  (await readFiles({ 'container.yaml': `${CONTAINER}- test: [${entry}]\n` })).container.tests![0]!;

describe('a test', () => {
  test('runs a program, with what it expects', async () => {
    const entry = `{run: [/bin/b, -v], stdout: "b {{version}}", stderr: x, exit: 1, stdin: in, environment: {A: 010}, timeout: 2m}`;
    expect(await ofPackage(entry)).toMatchObject({
      name: '/bin/b -v',
      action: { kind: 'run', command: ['/bin/b', '-v'] },
      stdout: 'b 1.2',
      stderr: 'x',
      exitCode: 1,
      stdin: 'in',
      environment: { A: '010' },
      timeoutMs: 120_000,
      position: { line: 4 },
    });
  });

  test('takes a minute at most and expects success where it does not say otherwise', async () => {
    expect(await ofContainer('{script: "set -x\\n{{ name }}"}')).toMatchObject({
      name: 'set -x',
      action: { kind: 'script', script: 'set -x\nx' },
      exitCode: 0,
      timeoutMs: 60_000,
      environment: {},
    });
  });

  test.each([
    ['http: {url: "http://127.0.0.1:80/"}', { kind: 'http', url: 'http://127.0.0.1/', status: 200 }],
    ['http: {url: "https://localhost:8443/a?b", status: 403, body: no}', { kind: 'http', status: 403, body: 'no' }],
    ['tcp: 6379', { kind: 'tcp', host: '127.0.0.1', port: 6379 }],
    ['tcp: "[::1]:53"', { kind: 'tcp', host: '::1', port: 53 }],
  ])('starts a server and asks %s', async (check, expected) => {
    const { action } = await ofContainer(`{start: [/sbin/nginx, -g, daemon off;], ${check}}`);
    expect(action).toMatchObject({ kind: 'start', command: ['/sbin/nginx', '-g', 'daemon off;'], check: expected });
  });

  test.each([
    ['{name: x}', 'expected one of run, script and start, found none'],
    ['{run: [a], script: b}', 'expected one of run, script and start, found run and script'],
    ['{run: [a], tcp: 80}', 'expected "start" beside "tcp", found "run"'],
    ['{start: [a]}', 'expected "start" with one of http and tcp, found neither'],
    ['{start: [a], tcp: 80, exit: 1}', 'expected no "exit" beside "start"'],
    ['{run: [--version]}', 'expected a program such as /usr/bin/hello, found "--version"'],
    ['{run: [A=b, c]}', 'expected a program such as /usr/bin/hello, found "A=b"'],
    ['{start: [a], http: {url: "http://example.org/"}}', 'expected an address on the loopback'],
    ['{start: [a], http: {url: "http://127.0.0.1.example.org/"}}', 'expected an address on the loopback'],
    ['{start: [a], http: {url: "http://u:p@127.0.0.1/"}}', 'expected an address on the loopback'],
    ['{start: [a], http: {url: "file:///etc/passwd"}}', 'expected an address on the loopback'],
    ['{start: [a], http: {url: "http://127.0.0.1/", status: 600}}', 'expected a number from 100 to 599, found "600"'],
    ['{start: [a], tcp: "10.0.0.1:80"}', 'expected a port, or an address on the loopback and a port'],
    ['{start: [a], tcp: 65536}', 'expected a port, or an address on the loopback and a port'],
    ['{run: [a], exit: 256}', 'expected a number from 0 to 255, found "256"'],
    ['{run: [a], timeout: 2d}', 'expected a time of up to an hour such as 90s or 5m, found "2d"'],
    ['{run: [a], environment: {A-B: c}}', 'expected a name of letters, digits and _'],
    ['{run: [a], stdot: x}', 'stdot'],
  ])('is refused as %s', async (entry, message) => {
    const refusal = { code: 'definition-invalid', message: expect.stringContaining(message) };
    await expect(ofContainer(entry)).rejects.toMatchObject({ ...refusal, position: { line: 4 } });
    await expect(ofPackage(entry)).rejects.toMatchObject({ ...refusal, position: { line: 4 } });
  });
});
