import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { createRepository } from '../support/forge.ts';
import { makeAuthority, PRIVATE_INTERNET_TOOLS, runInPrivateInternet } from '../support/private-internet.ts';
import { requires } from '../support/requires.ts';
import { makeKey } from '../support/sshd.ts';
import { imageDigests } from './support/image-digests.ts';
import { repository } from './support/installation.ts';
import { openPlace } from './support/place.ts';
import { runInstalled } from './support/run-installed.ts';

/** The builds of three people, one after the other. */
const FOUNDING_MS = 3_000_000;

const CONFIG = `---
repository:
  name: mysuperbinhost
  upload-type: ssh
  upload-path: containers@mysuperbinhost.org/containers
  download-type: https
  download-path: mysuperbinhost.org/containers
`;

/** A small container in place of nginx, with a package and a patch of its own. */
const SMALL = {
  'container.yaml': (text: string) =>
    text.replace(/- sync:[\s\S]*?(?=- image:)/, '').replaceAll('/sbin/nginx', '/usr/bin/hello'),
  'pkgs/nginx/pkg.yaml': () =>
    'base: app-misc/hello\nauthor: Sysadmin42 <sys@admin42.org>\npatches:\n  patches/greeting.patch: "Says more"\n',
} as const;

const GREETING = `--- a/README
+++ b/README
@@ -1,3 +1,4 @@
 This is the README file for the GNU Hello distribution.
+This one was patched.
 Hello prints a friendly greeting.  It also serves as a sample GNU
 package, showing practices that may be useful for GNU projects.
`;

const tools = ['archive', ...PRIVATE_INTERNET_TOOLS, 'sshd', 'nginx', 'ssh-keygen', 'git', 'openssl'];

requires(...tools).describe('the founding command', () => foundingCommand('hello'));
requires(...tools, 'long tests').describe('the founding command with nginx', () => foundingCommand('nginx-prod'));

function foundingCommand(example: 'hello' | 'nginx-prod'): void {
  const place = openPlace();
  let work: string;
  const said = (name: string) => readFileSync(join(work, 'results', name), 'utf8');

  beforeAll(async () => {
    work = place.path;
    await prepare(work, place.installation(), example);
    const { stdout, stderr, exitCode } = await runInPrivateInternet({
      hosts: [],
      command: [
        process.execPath,
        ...['--import', 'tsx', fileURLToPath(new URL('./support/founding-driver.ts', import.meta.url))],
        ...[work, join(place.installation(), 'bin/buildit.js'), 'containers'],
      ],
      cwd: repository,
      caPath: join(work, 'authority.pem'),
      binds: [
        [join(work, 'hosts'), '/etc/hosts'],
        [join(work, 'passwd'), '/etc/passwd'],
      ],
      timeoutMs: FOUNDING_MS,
    });
    expect({ exitCode, stdout, stderr }).toMatchObject({ exitCode: 0 });
  }, FOUNDING_MS);

  test('prints the founding transcript, line for line', async () => {
    expect(said('first.code'), said('first.err')).toBe('0\n');
    await expect(withoutHashes(said('first.out'))).toMatchFileSnapshot(`../golden/e2e/founding-${example}.txt`);
  });

  test('publishes nothing anew the second time', () => {
    expect(said('first-again.code'), said('first-again.err')).toBe('0\n');
    expect(said('first-again.out')).not.toContain('Uploading packages');
  });

  test('lets a second person take everything, who compiles nothing', () => {
    expect(said('second.code'), said('second.err')).toBe('0\n');
    expect(said('second.out')).toContain("Found HASH at 'mysuperbinhost'... [OK]");
    expect(said('second.out')).not.toMatch(/local build|Can't find/);
    expect(imageDigests({ container: join(work, 'second/nginx-prod') })).toEqual(
      imageDigests({ container: join(work, 'first/nginx-prod') }),
    );
  });

  test('needs no binhost: without it the same images are built from source', () => {
    expect(said('third.code'), said('third.err')).toBe('0\n');
    expect(said('third.out')).toContain('Defaulting to local build... [OK]');
    expect(said('third.err')).toContain('mysuperbinhost');
    expect(imageDigests({ container: join(work, 'third/nginx-prod') })).toEqual(
      imageDigests({ container: join(work, 'first/nginx-prod') }),
    );
  });

  describe('what lies at the binhost', () => {
    test('is signed so that ssh-keygen verifies every record and the pointer', () => {
      const served = join(work, 'served/containers');
      const records = filesBelow(join(served, 'packages')).filter((path) => path.endsWith('.json'));
      expect(records.length).toBeGreaterThan(0);
      for (const path of records) {
        expect(verified(work, 'buildit-package', readFileSync(path), `${path}.sig`)).toContain(
          'Good "buildit-package"',
        );
      }
      const pointer = readFileSync(join(served, 'index/current.json'), 'utf8');
      const line = pointer.slice(0, pointer.indexOf('\n') + 1);
      writeFileSync(join(work, 'pointer.sig'), pointer.slice(line.length));
      expect(verified(work, 'buildit-index', Buffer.from(line), join(work, 'pointer.sig'))).toContain(
        'Good "buildit-index"',
      );
    });

    requires('skopeo').test('is an OCI image layout that other programs read', () => {
      const name = 'Sysadmin42/nginx-production:1.22.1-p1';
      const answer = execFileSync('skopeo', ['inspect', `oci:${join(work, 'served/containers')}:${name}`]);
      const digests = Object.values(imageDigests({ container: join(work, 'first/nginx-prod') }));
      expect(digests).toContain(JSON.parse(answer.toString()).Digest);
    });
  });
}

async function prepare(work: string, installation: string, example: 'hello' | 'nginx-prod'): Promise<void> {
  const authority = makeAuthority(work);
  for (const [name, host] of [
    ['github', 'github.com'],
    ['binhost', 'mysuperbinhost.org'],
  ] as const) {
    const { certificatePath, keyPath } = authority.certificateFor([host]);
    copyFileSync(certificatePath, join(work, `${name}.pem`));
    copyFileSync(keyPath, join(work, `${name}.key`));
  }
  writeFileSync(join(work, 'hosts'), '127.0.0.1 localhost github.com\n127.0.0.2 mysuperbinhost.org\n');
  const uid = process.getuid!() === 0 ? 1234 : process.getuid!();
  const account = `containers:x:${uid}:${process.getuid!() === 0 ? uid : process.getgid!()}::${work}/served:/bin/sh\n`;
  const others = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith(`${userInfo().username}:`));
  const own = process.getuid!() === 0 ? readFileSync('/etc/passwd', 'utf8') : `${others.join('\n')}\n`;
  writeFileSync(join(work, 'passwd'), `${account}${own}`);

  mkdirSync(join(work, 'served'));
  chmodSync(join(work, 'served'), 0o755);
  if (process.getuid!() === 0) chownSync(join(work, 'served'), uid, uid);
  makeKey(join(work, 'host/key'));
  makeKey(join(work, 'first/.ssh/id_ed25519'));
  const [type, key] = readFileSync(join(work, 'first/.ssh/id_ed25519.pub'), 'utf8').split(' ');
  copyFileSync(join(work, 'first/.ssh/id_ed25519.pub'), join(work, 'authorized_keys'));
  const hostKey = readFileSync(join(work, 'host/key.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  writeFileSync(join(work, 'first/.ssh/known_hosts'), `mysuperbinhost.org ${hostKey}\n`);
  writeFileSync(join(work, 'allowed_signers'), `sys@admin42.org namespaces="buildit-*" ${type} ${key}\n`);
  mkdirSync(join(work, 'repositories'), { recursive: true });
  const offer = {
    format: 1,
    name: 'sysadmin42',
    binhosts: [{ name: 'mysuperbinhost', 'download-type': 'https', 'download-path': 'mysuperbinhost.org/containers' }],
  };
  createRepository(join(work, 'repositories'), 'sysadmin42/containers', { 'buildit.json': JSON.stringify(offer) });

  for (const person of ['first', 'second', 'third']) {
    const home = join(work, person);
    const container = join(home, 'nginx-prod');
    mkdirSync(join(home, '.config/buildit'), { recursive: true });
    if (person !== 'first') copyFileSync(join(work, 'allowed_signers'), join(home, '.config/buildit/allowed_signers'));
    cpSync(join(repository, 'examples/nginx-prod'), container, {
      recursive: true,
      filter: (source) => source !== join(repository, 'examples/nginx-prod/out'),
    });
    writeFileSync(join(container, '.buildit-config.yaml'), CONFIG);
    if (example === 'hello') makeSmall(container);
    // What builds here is fetched beforehand: in the private internet there is no archive of Debian.
    if (person === 'second') {
      copyFileSync(join(work, 'first/nginx-prod/buildit.lock'), join(container, 'buildit.lock'));
      continue;
    }
    if (person === 'third') {
      cpSync(join(work, 'first/store'), join(home, 'store'), { recursive: true });
      copyFileSync(join(work, 'first/nginx-prod/buildit.lock'), join(container, 'buildit.lock'));
      continue;
    }
    const somebody = { user: undefined, home, store: join(home, 'store'), container };
    const fetched = await runInstalled({ installation, person: somebody, args: ['fetch', 'nginx-prod/'] });
    expect(fetched, fetched.stderr).toMatchObject({ exitCode: 0 });
  }
}

function makeSmall(container: string): void {
  for (const [name, change] of Object.entries(SMALL)) {
    const path = join(container, name);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }
  execFileSync('rm', [
    '-rf',
    join(container, 'files'),
    join(container, 'pkgs/nginx/patches'),
    join(container, 'buildit.lock'),
  ]);
  mkdirSync(join(container, 'pkgs/nginx/patches'));
  writeFileSync(join(container, 'pkgs/nginx/patches/greeting.patch'), GREETING);
}

function verified(work: string, namespace: string, message: Buffer, signature: string): string {
  const argv = ['-Y', 'verify', '-f', join(work, 'allowed_signers'), '-I', 'sys@admin42.org', '-n', namespace];
  return execFileSync('ssh-keygen', [...argv, '-s', signature], { input: message }).toString();
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** HASHes change with every recipe; their form does not. */
function withoutHashes(text: string): string {
  return text.replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/g, 'A-UUID');
}
