import { describe, expect, test } from 'vitest';
import type { ArchiveSession } from '../../src/debian/archive-session.ts';
import { type DebianArchive, openArchive } from '../../src/debian/open-archive.ts';
import { createSigningKey, NOBODY, type OwnServer, ownSession, publish, stanza, startServer } from './own-archive.ts';

const packages = [stanza('app', { Depends: 'lib' }), stanza('lib')];

function open(session: ArchiveSession, suites = ['stable']): Promise<DebianArchive> {
  return openArchive({ ...session, suites, components: ['main'], architecture: 'amd64' });
}

async function refused(session: ArchiveSession, code = 'unreachable'): Promise<string> {
  const error = await open(session).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toMatchObject({ code });
  return [error.message, ...error.details].join('\n');
}

async function ownMirror(more: Partial<Parameters<typeof publish>[2]> = {}): Promise<OwnServer> {
  const server = await startServer();
  await publish(server, packages, more);
  return server;
}

const inRelease = '/debian/dists/stable/InRelease';
const index = '/debian/dists/stable/main/binary-amd64/Packages.gz';

describe('openArchive', () => {
  test('names a page or a clock in the way, and hints at that instead of the network', async () => {
    const server = await startServer();
    server.files.set(inRelease, Buffer.from('<!doctype html>'));
    await expect(open(await ownSession(`${server.origin}/debian`))).rejects.toMatchObject({
      details: expect.arrayContaining([expect.stringContaining('an HTML page')]),
      hint: expect.stringContaining('may change answers'),
    });
  });

  test('reads a signed suite and resolves in it', async () => {
    const server = await ownMirror();
    const archive = await open(await ownSession(`${server.origin}/debian`));
    expect(archive.suites).toEqual([
      { suite: 'stable', root: `${server.origin}/debian`, date: '2026-01-01T00:00:00Z' },
    ]);
    expect(Object.keys(archive.resolve({ wants: [{ name: 'app' }] }))).toEqual(['app', 'lib']);
    expect(archive.universe.versions('app')[0]).toMatchObject({ suite: 'stable', date: '2026-01-01T00:00:00Z' });
  });

  test('fetches an index once, and an unchanged InRelease not again', async () => {
    const server = await ownMirror();
    const session = await ownSession(`${server.origin}/debian`);
    const first = await open(session);
    expect(server.asked).toEqual([inRelease, index]);
    const second = await open(session);
    expect(server.asked).toEqual([inRelease, index, inRelease]);
    expect(second.resolve({ wants: [{ name: 'app' }] })).toEqual(first.resolve({ wants: [{ name: 'app' }] }));
  });

  test('works offline with what was fetched before, and says so where nothing was', async () => {
    const server = await ownMirror();
    const session = await ownSession(`${server.origin}/debian`);
    const offline = { ...session, config: { ...session.config, offline: true } };
    expect(await refused(offline, 'offline')).toContain('not fetched before');
    await open(session);
    server.asked.length = 0;
    expect((await open(offline)).suites).toHaveLength(1);
    expect(server.asked).toEqual([]);
  });

  test('takes an index by its digest, which stays while the mirror moves on', async () => {
    const server = await ownMirror({ byHash: true });
    server.files.set(index, Buffer.from('the next index'));
    await open(await ownSession(`${server.origin}/debian`));
    expect(server.asked.filter((path) => path.includes('/by-hash/SHA256/'))).toHaveLength(1);
  });

  test('takes an index by its name where the digest is not there', async () => {
    const server = await ownMirror({ byHash: true });
    for (const path of server.files.keys()) if (path.includes('by-hash')) server.files.delete(path);
    expect((await open(await ownSession(`${server.origin}/debian`))).suites).toHaveLength(1);
    expect(server.asked.at(-1)).toBe(index);
  });

  test('refuses an index that is not the one its InRelease names', async () => {
    const server = await ownMirror();
    server.files.set(index, Buffer.alloc(server.files.get(index)!.length));
    expect(await refused(await ownSession(`${server.origin}/debian`), 'checksum-mismatch')).toMatch(
      /expected \d+ bytes with sha256/,
    );
  });

  test('refuses an index that is longer than its InRelease says, without reading it', async () => {
    const server = await ownMirror();
    server.handle = (path, response) => {
      if (path !== index) return false;
      response.writeHead(200);
      const feed = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 << 10)));
      };
      response.on('drain', feed);
      feed();
      return true;
    };
    expect(await refused(await ownSession(`${server.origin}/debian`), 'input-invalid')).toContain('found more');
  });

  test.each([
    ['by an unknown key', async () => ownMirror({ key: await createSigningKey() }), /not a key of the keyring/],
    ['for another suite', () => ownMirror({ codename: 'other', suite: 'stable' }), undefined],
    ['whose time is over', () => ownMirror({ validUntil: 'Sat, 31 Jan 2026 00:00:00 UTC' }), /valid until 2026-01-31/],
  ])('an InRelease %s', async (_, create, found) => {
    const server = await create();
    const session = await ownSession(`${server.origin}/debian`);
    if (found === undefined) expect((await open(session)).suites).toHaveLength(1);
    else expect(await refused(session, 'signature-invalid')).toMatch(found);
  });

  test('refuses the index of another suite under the name of this one', async () => {
    const server = await startServer();
    await publish(server, packages, { suite: 'oldstable' });
    server.files.set(inRelease, server.files.get('/debian/dists/oldstable/InRelease')!);
    expect(await refused(await ownSession(`${server.origin}/debian`), 'input-invalid')).toContain(
      'expected the index of stable',
    );
  });

  test('refuses to go back to an older index at the same place', async () => {
    const server = await ownMirror({ date: 'Fri, 02 Jan 2026 00:00:00 UTC' });
    const session = await ownSession(`${server.origin}/debian`);
    await open(session);
    await publish(server, packages, { date: 'Thu, 01 Jan 2026 00:00:00 UTC' });
    expect(await refused(session, 'signature-invalid')).toContain('expected an index not older than 2026-01-02');
    await publish(server, packages, { date: 'Sat, 03 Jan 2026 00:00:00 UTC' });
    expect((await open(session)).suites[0]!.date).toBe('2026-01-03T00:00:00Z');
  });

  test('never remembers what it did not accept', async () => {
    const server = await ownMirror({ key: await createSigningKey(), date: 'Tue, 01 Dec 2026 00:00:00 UTC' });
    const session = await ownSession(`${server.origin}/debian`);
    await refused(session, 'signature-invalid');
    await publish(server, packages);
    expect((await open(session)).suites[0]!.date).toBe('2026-01-01T00:00:00Z');
  });

  test('goes on to the next place, in the end to the snapshot service, by whose time expiry is judged', async () => {
    const bad = await ownMirror({ key: await createSigningKey() });
    const good = await startServer();
    await publish(good, packages, {
      root: '/archive/debian/20260105T000000Z',
      validUntil: 'Tue, 06 Jan 2026 00:00:00 UTC',
    });
    const session = await ownSession(`${bad.origin}/debian`);
    const surroundings = { ...session.surroundings, snapshot: `${good.origin}/archive` };
    const archive = await openArchive({
      ...session,
      surroundings,
      suites: ['stable'],
      components: ['main'],
      architecture: 'amd64',
      date: '2026-01-05T00:00:00Z',
    });
    expect(archive.suites[0]!.root).toBe(`${good.origin}/archive/debian/20260105T000000Z`);
  });

  test('names every place it tried in vain, with the answer', async () => {
    const server = await startServer();
    const session = await ownSession(`${server.origin}/debian`);
    const surroundings = { ...session.surroundings, snapshot: `${NOBODY}/archive` };
    const told = await refused({ ...session, surroundings });
    expect(told).toContain(`${server.origin}${inRelease}: 404 (not there)`);
    expect(told).toMatch(/127\.0\.0\.1:9\/archive\/debian\/20260201T000000Z.*: connection refused/);
  });

  test('names of suites never become paths', async () => {
    const server = await startServer();
    const session = await ownSession(`${server.origin}/debian`);
    await expect(open(session, ['../../x'])).rejects.toMatchObject({ code: 'input-invalid' });
    expect(server.asked).toEqual([]);
  });

  test('a component that the suite does not have is an error that says so', async () => {
    const server = await ownMirror();
    const session = await ownSession(`${server.origin}/debian`);
    const opened = openArchive({ ...session, suites: ['stable'], components: ['contrib'], architecture: 'amd64' });
    await expect(opened).rejects.toMatchObject({ code: 'input-invalid' });
  });
});
