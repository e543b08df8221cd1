import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ImageContent } from '../../src/image/prepare-content.ts';
import { directoryMember, fileMember, symlinkMember } from '../../src/layer/tar-member.ts';
import type { FileStep } from '../../src/model/container.ts';
import type { LayerEntry } from '../../src/model/layer.ts';
import { baselayout, NEWEST, nginx, position, root, testContainer } from './test-content.ts';

type Sync = FileStep & { readonly kind: 'sync' };

function sync(source: string, dest: string, changes: Partial<Sync> = {}): Sync {
  return {
    kind: 'sync',
    source,
    dest,
    recursive: true,
    mode: undefined,
    directoryMode: 0o755,
    owner: root,
    exclude: [],
    template: false,
    position,
    ...changes,
  };
}

function file(dest: string, content = 'text', mode = 0o644, owner = root): FileStep {
  return { kind: 'file', dest, content, mode, owner, position };
}

async function contentOf(content: ImageContent, path: string): Promise<string> {
  const { entry, source } = content.tree.entries.get(path)!;
  const layer = content.layers.find((other) => other === source)!;
  const bytes = (await layer.open())(entry as LayerEntry & { type: 'file' });
  return Buffer.from(bytes as Uint8Array).toString();
}

function entryOf(content: ImageContent, path: string): LayerEntry | undefined {
  return content.tree.entries.get(path)?.entry;
}

function topLayer(content: ImageContent) {
  return content.layers.find(({ name }) => name === 'files of the container')?.listing.map(({ path }) => path);
}

describe('the content of an image', () => {
  test('is as old as its newest package', async () => {
    const { content } = await testContainer([baselayout, nginx], () => [file('/etc/motd')]);
    expect(content.created).toBe(NEWEST);
    expect(entryOf(content, 'etc/motd')).toMatchObject({ mtime: NEWEST });
  });

  test('has users of packages and of the container in passwd and group', async () => {
    const { content } = await testContainer([baselayout, nginx], () => [
      { kind: 'user', name: 'web', uid: 200, gid: 101, home: '/srv', shell: '/bin/sh', position },
    ]);
    const passwd = await contentOf(content, 'etc/passwd');
    expect(passwd).toMatch(
      /^root:x:0:0:root:\/root:\/bin\/sh\nnobody:x:65534:65534:nobody:\/:\/usr\/sbin\/nologin\ndaemon:x:1:1:/,
    );
    expect(passwd).toContain('\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n');
    expect(passwd).toMatch(
      /\nnginx:x:101:101:nginx:\/var\/cache\/nginx:\/usr\/sbin\/nologin\nweb:x:200:101:web:\/srv:\/bin\/sh\n$/,
    );
    expect(await contentOf(content, 'etc/group')).toMatch(/^root:x:0:\nnogroup:x:65534:\n(?:.*\n)*nginx:x:101:\n$/);
  });

  test('without a base has only the users that it asks for', async () => {
    const user = { kind: 'user', name: 'web', uid: 200, gid: 200, home: '/', shell: '/bin/sh', position } as const;
    const { content } = await testContainer([], () => [user], { base: false });
    expect(await contentOf(content, 'etc/passwd')).toBe('web:x:200:200:web:/:/bin/sh\n');
    expect(await contentOf(content, 'etc/group')).toBe('web:x:200:\n');
    const nobody = await testContainer([nginx], () => [], { base: false });
    expect(await contentOf(nobody.content, 'etc/passwd')).toMatch(/^nginx:[^\n]*\n$/);
  });

  test('has no layer of its own where there is nothing to add', async () => {
    const { content } = await testContainer([baselayout], () => [], { base: false });
    expect(content.layers.map(({ name }) => name)).toEqual(['sys-apps/baselayout']);
  });

  test('states directories again that packages disagree about', async () => {
    const { content } = await testContainer([baselayout, nginx]);
    const generated = content.layers.at(-1)!;
    expect(generated.name).toBe('generated files');
    expect(generated.listing.find(({ path }) => path === 'tmp')).toMatchObject({ mode: 0o1777 });
    expect(entryOf(content, 'tmp')).toMatchObject({ mode: 0o1777 });
  });

  test('has what maintainer scripts would have made, where nothing is in its place', async () => {
    const certificates = {
      name: 'debian/ca-certificates',
      members: [
        fileMember('usr/share/ca-certificates/mozilla/B.crt', 'B'),
        fileMember('usr/share/ca-certificates/mozilla/A.crt', 'A\n'),
      ],
    };
    const mawk = { name: 'debian/mawk', members: [fileMember('usr/bin/mawk', 'mawk', { mode: 0o755 })] };
    const { content } = await testContainer([baselayout, certificates, mawk]);
    expect(await contentOf(content, 'etc/ssl/certs/ca-certificates.crt')).toBe('A\nB\n');
    expect(entryOf(content, 'usr/bin/awk')).toMatchObject({ type: 'symlink', target: 'mawk' });
    const own = { name: 'app-misc/awk', members: [fileMember('usr/bin/awk', 'own')] };
    const other = await testContainer([baselayout, mawk, own]);
    expect(entryOf(other.content, 'usr/bin/awk')).toMatchObject({ type: 'file' });
  });

  test('refuses names that would remove files of other layers', async () => {
    const planted = { name: 'app-misc/x', members: [fileMember('usr/share/.wh.passwd', '')] };
    await expect(testContainer([baselayout, planted])).rejects.toThrow('"/usr/share/.wh.passwd" of app-misc/x');
    await expect(testContainer([baselayout], () => [file('/etc/.wh..wh..opq')])).rejects.toThrow('.wh.');
  });
});

describe('the home of a user', () => {
  const user = (home: string, changes = {}): FileStep => ({
    ...{ kind: 'user', name: 'app', uid: 1000, gid: 1001, home, shell: '/bin/sh', position },
    ...changes,
  });
  const ours = { type: 'directory', mode: 0o755, uid: 1000, gid: 1001 };
  const roots = { type: 'directory', mode: 0o755, uid: 0, gid: 0 };

  test('is made, with what is above it', async () => {
    const { content } = await testContainer([baselayout], () => [user('/srv/home/app')]);
    expect(entryOf(content, 'srv/home/app')).toMatchObject(ours);
    expect(entryOf(content, 'srv/home')).toMatchObject(roots);
  });

  test('is the user’s where a file in it makes it', async () => {
    const steps = [file('/home/app/.config/rc'), user('/home/app')];
    const { content } = await testContainer([baselayout], () => steps);
    expect(entryOf(content, 'home/app')).toMatchObject(ours);
    expect(entryOf(content, 'home/app/.config')).toMatchObject(roots);
  });

  test('stays what a package or a step made it', async () => {
    const step: FileStep = { kind: 'directory', dest: '/home/app', mode: 0o700, owner: root, position };
    const { content } = await testContainer([baselayout], () => [user('/home/app'), step]);
    expect(entryOf(content, 'home/app')).toMatchObject({ ...roots, mode: 0o700 });
    const packaged = await testContainer([baselayout, nginx], () => [user('/var/cache/nginx')]);
    expect(entryOf(packaged.content, 'var/cache/nginx')).toMatchObject({ mode: 0o700, uid: 101 });
    expect(topLayer(packaged.content)).toBeUndefined();
  });

  test('is where links of the image lead', async () => {
    const link: FileStep = { kind: 'link', dest: '/home', target: 'data/homes', position };
    const { content } = await testContainer([baselayout], () => [user('/home/app'), link]);
    expect(entryOf(content, 'data/homes/app')).toMatchObject(ours);
    const run = await testContainer([baselayout], () => [user('/var/run/app')]);
    expect(entryOf(run.content, 'run/app')).toMatchObject(ours);
  });

  test.each(['/', '/nonexistent', '/nonexistent/x', '/dev/null', '/proc/1'])('is not made at %s', async (home) => {
    const { content } = await testContainer([baselayout], () => [user(home)]);
    expect(topLayer(content)).toBeUndefined();
  });

  test('that is a file, or lies in one, is refused at its step', async () => {
    for (const home of ['/usr/sbin/nginx', '/usr/sbin/nginx/app', '/loop/app']) {
      const link: FileStep = { kind: 'link', dest: '/loop', target: 'loop', position };
      await expect(testContainer([baselayout, nginx], () => [link, user(home)])).rejects.toMatchObject({
        code: 'path-conflict',
        message: expect.stringContaining(`Cannot make the home "${home}" of the user "app"`),
        position,
      });
    }
  });

  test('of a package’s user is made where the package lacks it, and no file of the container becomes that user’s', async () => {
    const web = { ...nginx, members: [], users: [{ ...nginx.users![0]!, home: '/srv/www' }] };
    const bare = await testContainer([baselayout, web]);
    expect(entryOf(bare.content, 'srv/www')).toMatchObject({ ...roots, uid: 101, gid: 101 });
    const served = await testContainer([baselayout, web], () => [file('/srv/www/index.html')]);
    expect(entryOf(served.content, 'srv/www')).toMatchObject(roots);
    const moved = await testContainer([baselayout, web], () => [
      user('/srv/other', { name: 'nginx', uid: 101, gid: 101 }),
    ]);
    expect(entryOf(moved.content, 'srv/www')).toBeUndefined();
    expect(entryOf(moved.content, 'srv/other')).toMatchObject({ uid: 101 });
  });
});

describe('steps', () => {
  test('lead through the links of the packages', async () => {
    const { content } = await testContainer([baselayout, nginx], () => [
      file('/sbin/start', '#!/bin/sh\n', 0o755),
      file('/var/run/x'),
      { kind: 'link', dest: '/bin/nginx', target: '/sbin/nginx', position },
    ]);
    expect(topLayer(content)).toEqual([
      'run',
      'run/x',
      'usr',
      'usr/bin',
      'usr/bin/nginx',
      'usr/sbin',
      'usr/sbin/start',
    ]);
    expect(entryOf(content, 'sbin')).toMatchObject({ type: 'symlink' });
  });

  test('keep mode and owner of directories that are there, and state them again', async () => {
    const { content } = await testContainer([baselayout, nginx], () => [file('/var/cache/nginx/seed')]);
    const top = content.layers.at(-1)!.listing;
    expect(top.find(({ path }) => path === 'var/cache/nginx')).toMatchObject({ mode: 0o700, uid: 101, gid: 101 });
  });

  test('may replace a file of a package, and the image says so', async () => {
    const { content } = await testContainer([baselayout, nginx], () => [
      file('/etc/nginx/nginx.conf', 'listen 443;\n'),
      file('/etc/nginx/nginx.conf', 'listen 8443;\n'),
    ]);
    expect(await contentOf(content, 'etc/nginx/nginx.conf')).toBe('listen 8443;\n');
    expect(content.notices).toEqual(['/etc/nginx/nginx.conf replaces a file of www-servers/nginx']);
  });

  test('give directories to users by name', async () => {
    const { content } = await testContainer([baselayout, nginx], () => [
      { kind: 'directory', dest: '/srv/www', mode: 0o2750, owner: { user: 'nginx', group: 'nogroup' }, position },
      file('/srv/www/index.html', 'hi', 0o640, { user: 'nginx', group: '' }),
    ]);
    expect(entryOf(content, 'srv/www')).toMatchObject({ mode: 0o2750, uid: 101, gid: 65534 });
    expect(entryOf(content, 'srv/www/index.html')).toMatchObject({ mode: 0o640, uid: 101, gid: 101 });
    expect(entryOf(content, 'srv')).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
  });

  test('that name an unknown owner are errors with position that list the known ones', async () => {
    const unknown = testContainer([baselayout], () => [file('/x', '', 0o644, { user: 'ngnix', group: '' })]);
    await expect(unknown).rejects.toMatchObject({
      code: 'definition-invalid',
      message: 'Cannot find user "ngnix" in the image: found root, 17 of every Debian system',
      position,
    });
  });

  test.each([
    [
      'a file over a directory with content',
      file('/etc'),
      '"/etc": expected a file or nothing, found a directory of sys-apps/baselayout',
    ],
    ['a file below a file', file('/etc/passwd/x'), 'below "/etc/passwd"'],
    [
      'a directory over a file',
      { kind: 'directory', dest: '/sbin/nginx', mode: 0o755, owner: root, position } as const,
      '"/usr/sbin/nginx": expected nothing there, found a file of www-servers/nginx',
    ],
    ['a file over the root', file('/'), 'Cannot write "/"'],
  ])('%s is an error', async (_, step, message) => {
    await expect(testContainer([baselayout, nginx], () => [step])).rejects.toMatchObject({
      code: 'path-conflict',
      message: expect.stringContaining(message),
      position,
    });
  });

  test('may put a link where an empty directory of a package was', async () => {
    const { content } = await testContainer([baselayout], () => [
      { kind: 'link', dest: '/tmp', target: '/run', position },
    ]);
    expect(entryOf(content, 'tmp')).toMatchObject({ type: 'symlink', target: '/run' });
  });
});

describe('an image whose passwd is the user’s own', () => {
  test('has the users of that file', async () => {
    const { content } = await testContainer([baselayout, nginx], () => [
      file('/etc/passwd', 'app:x:7:7:app:/:/bin/sh\n'),
    ]);
    expect(content.users.passwd).toBe('app:x:7:7:app:/:/bin/sh\n');
    expect(content.notices).toEqual(['/etc/passwd replaces a file of generated files']);
  });
});

describe('sync', () => {
  test('copies a directory: modes from the execute bit, links as links, times from the image', async () => {
    const { content } = await testContainer([baselayout, nginx], (directory) => {
      mkdirSync(join(directory, 'files/sub'), { recursive: true });
      writeFileSync(join(directory, 'files/run.sh'), '#!/bin/sh\n', { mode: 0o751 });
      writeFileSync(join(directory, 'files/sub/data'), 'data', { mode: 0o600 });
      symlinkSync('sub/data', join(directory, 'files/link'));
      symlinkSync('/etc/passwd', join(directory, 'files/absolute'));
      utimesSync(join(directory, 'files/sub/data'), 5, 5);
      return [sync(join(directory, 'files'), '/opt/app', { owner: { user: 'nginx', group: 'nginx' } })];
    });
    expect(entryOf(content, 'opt/app')).toMatchObject({ type: 'directory', mode: 0o755, uid: 101 });
    expect(entryOf(content, 'opt/app/run.sh')).toMatchObject({ mode: 0o755, uid: 101, gid: 101, mtime: NEWEST });
    expect(entryOf(content, 'opt/app/sub/data')).toMatchObject({ mode: 0o644, mtime: NEWEST });
    expect(entryOf(content, 'opt/app/link')).toMatchObject({ type: 'symlink', target: 'sub/data' });
    expect(entryOf(content, 'opt/app/absolute')).toMatchObject({ type: 'symlink', target: '/etc/passwd' });
    expect(await contentOf(content, 'opt/app/sub/data')).toBe('data');
  });

  test('sets modes, leaves out what is excluded, and goes no deeper than asked', async () => {
    const { content } = await testContainer([baselayout], (directory) => {
      mkdirSync(join(directory, 'files/.git'), { recursive: true });
      mkdirSync(join(directory, 'files/keep/tmp'), { recursive: true });
      for (const name of ['a.conf', 'b.bak', '.git/config', 'keep/c.bak', 'keep/tmp/d', 'keep/e']) {
        writeFileSync(join(directory, 'files', name), name);
      }
      const source = join(directory, 'files');
      return [
        sync(source, '/all', { exclude: ['*.bak', '.git', 'keep/tmp/'], mode: 0o600, directoryMode: 0o700 }),
        sync(source, '/flat', { recursive: false, exclude: ['.*'] }),
      ];
    });
    const paths = [...content.tree.entries.keys()];
    expect(paths.filter((path) => path.startsWith('all')).sort()).toEqual([
      'all',
      'all/a.conf',
      'all/keep',
      'all/keep/e',
    ]);
    expect(paths.filter((path) => path.startsWith('flat')).sort()).toEqual(['flat', 'flat/a.conf', 'flat/b.bak']);
    expect(entryOf(content, 'all/a.conf')).toMatchObject({ mode: 0o600 });
    expect(entryOf(content, 'all/keep')).toMatchObject({ mode: 0o700 });
  });

  test('puts a single file where it is told, or into a directory that is there', async () => {
    const { content } = await testContainer([baselayout, nginx], (directory) => {
      writeFileSync(join(directory, 'nginx.conf'), '# {{ name }}\n');
      const source = join(directory, 'nginx.conf');
      return [
        sync(source, '/etc/nginx/nginx.conf', { template: true, mode: 0o644 }),
        sync(source, '/etc/nginx'),
        sync(source, '/srv/new/'),
        sync(source, '/srv/named'),
      ];
    });
    expect(await contentOf(content, 'etc/nginx/nginx.conf')).toBe('# {{ name }}\n');
    expect(entryOf(content, 'srv/new/nginx.conf')).toMatchObject({ type: 'file' });
    expect(entryOf(content, 'srv/named')).toMatchObject({ type: 'file' });
  });

  test('renders templates', async () => {
    const { content } = await testContainer([baselayout], (directory) => {
      writeFileSync(join(directory, 'motd'), 'Welcome to {{ name }}\n');
      return [sync(join(directory, 'motd'), '/etc/motd', { template: true })];
    });
    expect(await contentOf(content, 'etc/motd')).toBe('Welcome to nginx-production\n');
  });

  test('refuses a source that is missing, with its position', async () => {
    const missing = testContainer([baselayout], (directory) => [sync(join(directory, 'nowhere'), '/x')]);
    await expect(missing).rejects.toMatchObject({
      code: 'file-missing',
      message: expect.stringContaining('"nowhere"'),
      position,
    });
  });

  test('refuses sources outside the directory, also through links', async () => {
    const outside = testContainer([baselayout], (directory) => {
      symlinkSync('/etc', join(directory, 'etc'));
      return [sync(join(directory, 'etc/hostname'), '/x')];
    });
    await expect(outside).rejects.toMatchObject({ code: 'definition-invalid', position });
  });

  test('refuses links that leave the source, pipes, and names that are no text', async () => {
    const attempt = (prepare: (files: string) => void) =>
      testContainer([baselayout], (directory) => {
        mkdirSync(join(directory, 'files'));
        prepare(join(directory, 'files'));
        return [sync(join(directory, 'files'), '/x')];
      });
    await expect(attempt((files) => symlinkSync('../container.yaml', join(files, 'up')))).rejects.toThrow(
      'a link to "../container.yaml"',
    );
    await expect(attempt((files) => execFileSync('mkfifo', [join(files, 'pipe')]))).rejects.toThrow(
      'a device, socket or pipe',
    );
    await expect(attempt((files) => writeFileSync(Buffer.from(`${files}/\xff`, 'latin1'), ''))).rejects.toThrow(
      'valid UTF-8',
    );
  });

  test('into a package directory that is a link goes where the link leads', async () => {
    const linked = {
      name: 'app-misc/x',
      members: [symlinkMember('srv', 'var/srv'), directoryMember('var/srv', { mode: 0o711 })],
    };
    const { content } = await testContainer([baselayout, linked], (directory) => {
      mkdirSync(join(directory, 'files'));
      writeFileSync(join(directory, 'files/a'), '');
      return [sync(join(directory, 'files'), '/srv')];
    });
    expect(entryOf(content, 'var/srv/a')).toMatchObject({ type: 'file' });
    expect(entryOf(content, 'var/srv')).toMatchObject({ mode: 0o711 });
    expect(entryOf(content, 'srv')).toMatchObject({ type: 'symlink' });
  });

  test('tells which files and directories it read', async () => {
    const seen: string[] = [];
    const { prepareContent } = await import('../../src/image/prepare-content.ts');
    const { store, directory, content } = await testContainer([baselayout]);
    mkdirSync(join(directory, 'files'));
    writeFileSync(join(directory, 'files/a'), '');
    const container = { ...content.container, steps: [sync(join(directory, 'files'), '/x')] };
    const witness = { read: (path: string) => seen.push(path), listed: (path: string) => seen.push(path) };
    await prepareContent(store, {
      container,
      selected: content.members,
      render: (text) => text,
      witness: witness as never,
    });
    expect(seen).toEqual(['files', 'files', 'files/a'].map((path) => join(directory, path)));
  });
});
