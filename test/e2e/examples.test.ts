import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { requires } from '../support/requires.ts';
import { repository } from './support/installation.ts';
import { layoutSize } from './support/layout-size.ts';
import { openPerson, openPlace, type Person } from './support/place.ts';
import { type RunningContainer, runWithPodman, startWithPodman } from './support/run-image.ts';
import { runInstalled } from './support/run-installed.ts';

const BUILD_MS = 3_600_000;
const ALL = readdirSync(join(repository, 'examples')).sort();

const place = openPlace();

/** What somebody does with the image of an example who has it running. */
const SERVERS: Readonly<Record<string, (server: RunningContainer) => Promise<void>>> = {
  async haproxy(server) {
    expect(await server.get('http://127.0.0.1:8080/healthy')).toEqual({ status: 200, body: 'ready' });
    expect(await server.get('http://127.0.0.1:8080/')).toMatchObject({ status: 503 });
  },
  async memcached(server) {
    const answer = await server.say(11211, 'set greeting 0 0 5\r\nhello\r\nget greeting\r\nquit\r\n');
    expect(answer).toBe('STORED\r\nVALUE greeting 0 5\r\nhello\r\nEND\r\n');
  },
  async 'node-app'(server) {
    expect(await server.get('http://127.0.0.1:8080/hello/world')).toEqual({ status: 200, body: '{"hello":"world"}' });
  },
  async 'python-app'(server) {
    expect(await server.get('http://127.0.0.1:8080/hello/world')).toEqual({ status: 200, body: '{"hello": "world"}' });
  },
  async redis(server) {
    const answer = await server.say(6379, 'SET greeting hello\r\nGET greeting\r\nQUIT\r\n');
    expect(answer).toBe('+OK\r\n$5\r\nhello\r\n+OK\r\n');
  },
};

const PROGRAMS: Readonly<Record<string, (run: (...args: string[]) => string) => void>> = {
  'busybox-musl'(run) {
    expect(run('-c', 'echo "$(seq 3 | tac | tr "\\n" " ")$(printf %s ab | base64)"')).toBe('3 2 1 YWI=\n');
    expect(run('-c', 'test -e /lib || ls /usr')).toBe('bin\nsbin\n');
  },
  curl(run) {
    expect(run('--silent', 'file:///etc/passwd')).toContain('root:');
    expect(run('--version')).toMatch(/^Protocols: .*\bhttps\b/m);
  },
};

/** Largest size of a layout, in bytes, of examples that are there because they are small. */
const SIZES: Readonly<Record<string, number>> = { 'busybox-musl': 1_000_000, curl: 9_000_000 };

describe('every example', () => {
  test('is planned with the lock that lies beside it', async () => {
    for (const name of ALL) {
      const person = openPerson(place, `planner-of-${name}`, name, undefined);
      const args = ['plan', '--locked', '--offline', name];
      const planned = await runInstalled({ installation: place.installation(), person, args });
      expect(planned, planned.stderr).toMatchObject({ exitCode: 0 });
    }
  });
});

/** Most compile for some minutes; two take what they need from a registry. */
requires('long tests', 'archive', 'user namespaces', 'podman', 'runc', 'root').describe('the example', () => {
  describe.each([...Object.keys(SERVERS), ...Object.keys(PROGRAMS)].sort())('%s', (name) => {
    let person: Person;
    let image: string;

    beforeAll(async () => {
      person = { ...openPerson(place, name, name, undefined), store: join(place.path, 'store') };
      image = `oci:${join(person.container, 'out/oci')}:latest`;
      const args = ['build', '--locked', name];
      const built = await runInstalled({ installation: place.installation(), person, args });
      expect(built, built.stderr).toMatchObject({ exitCode: 0 });
    }, BUILD_MS);

    test('does what it is for', async () => {
      PROGRAMS[name]?.((...args) => runWithPodman(place.path, image, ...args));
      if (SERVERS[name] === undefined) return;
      const server = startWithPodman(place.path, image);
      try {
        await SERVERS[name](server);
      } finally {
        server.stop();
      }
    });

    test.runIf(name in SIZES)('is as small as it says', () => {
      expect(layoutSize(join(person.container, 'out/oci'))).toBeLessThan(SIZES[name]!);
    });
  });
});
