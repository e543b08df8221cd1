import { describe, expect, test } from 'vitest';
import { debUrls, fetchDebs, VanishedPackages } from '../../src/debian/fetch-debs.ts';
import { blobSize, readBlob } from '../../src/store/read-blob.ts';
import { NOBODY, type OwnServer, ownSession, startServer } from './own-archive.ts';
import { pinOf, rawDeb } from './raw-deb.ts';

const deb = rawDeb();
const pin = pinOf(deb);

async function serving(root: string, bytes = deb): Promise<OwnServer> {
  const server = await startServer();
  server.files.set(`${root}/${pin.path}`, bytes);
  return server;
}

describe('fetchDebs', () => {
  test('brings packages into the store and says how far it is', async () => {
    const server = await serving('/debian');
    const session = await ownSession(`${server.origin}/debian`);
    await fetchDebs(session.store, [pin], session);
    expect(await readBlob(session.store, pin.sha256)).toEqual(deb);
    expect(session.events).toEqual([
      { kind: 'task-started', task: 'fetch-debian', label: 'debian/tool', total: deb.length },
      { kind: 'task-progress', task: 'fetch-debian', done: deb.length, total: deb.length },
      { kind: 'task-finished', task: 'fetch-debian', outcome: 'done' },
    ]);
  });

  test('asks nobody for what is there', async () => {
    const server = await serving('/debian');
    const session = await ownSession(`${server.origin}/debian`);
    await fetchDebs(session.store, [pin], session);
    await fetchDebs(session.store, [pin, { ...pin, name: 'tool' }], {
      ...session,
      config: { ...session.config, offline: true },
    });
    expect(server.asked).toHaveLength(1);
  });

  test('refuses offline to fetch what is not there', async () => {
    const session = await ownSession(`${NOBODY}/debian`);
    const offline = { ...session, config: { ...session.config, offline: true } };
    await expect(fetchDebs(session.store, [pin], offline)).rejects.toMatchObject({
      code: 'offline',
      details: ['tool'],
    });
  });

  test('goes on to the next place after wrong bytes, too many bytes and a missing file', async () => {
    for (const bytes of [Buffer.alloc(deb.length), Buffer.alloc(deb.length + 1), deb.subarray(1)]) {
      const bad = await serving('/debian', bytes);
      const good = await serving('/archive/debian/20260101T120000Z');
      const session = await ownSession(`${bad.origin}/debian`);
      const surroundings = { ...session.surroundings, snapshot: `${good.origin}/archive` };
      await fetchDebs(session.store, [pin], { ...session, surroundings });
      expect(await blobSize(session.store, pin.sha256)).toBe(deb.length);
      expect(good.asked).toHaveLength(1);
    }
  });

  test('warns once of a place that cannot be used while another has everything', async () => {
    const bad = await startServer();
    bad.handle = (_, response) => {
      response.writeHead(403).end();
      return true;
    };
    const good = await serving('/archive/debian/20260101T120000Z');
    const other = rawDeb({ name: 'other' });
    const otherPin = pinOf(other, { name: 'other' });
    good.files.set(`/archive/debian/20260101T120000Z/${otherPin.path}`, other);
    const session = await ownSession(`${bad.origin}/debian`);
    const surroundings = { ...session.surroundings, snapshot: `${good.origin}/archive` };
    await fetchDebs(session.store, [pin, otherPin], { ...session, surroundings });
    const warnings = session.events.filter(({ kind }) => kind === 'warning');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({
      text: expect.stringContaining(`Cannot use ${bad.origin}: 403`),
      hint: expect.stringContaining(good.origin),
    });
  });

  test('asks the snapshot service for the first state after the index, then for that of the index', async () => {
    const session = await ownSession(undefined);
    const urls = debUrls(pin, { ...session, surroundings: { ...session.surroundings, snapshot: 'https://s.example' } });
    expect(urls.map(({ url }) => url)).toEqual([
      `https://s.example/debian/20260101T120000Z/${pin.path}`,
      `https://s.example/debian/20260101T000000Z/${pin.path}`,
    ]);
  });

  test('tells all vanished packages at once where every place says that it has none', async () => {
    const server = await serving('/debian');
    const session = await ownSession(`${server.origin}/debian`);
    const surroundings = { ...session.surroundings, snapshot: `${server.origin}/archive` };
    const others = ['zeta', 'alpha'].map((name) => pinOf(rawDeb({ name }), { name }));
    const error = await fetchDebs(session.store, [pin, ...others], { ...session, surroundings }).catch(
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(VanishedPackages);
    expect(error).toMatchObject({ code: 'unreachable', isCertain: true });
    expect(error.packages.map(({ name }: { name: string }) => name)).toEqual(['alpha', 'zeta']);
    expect(error.details).toHaveLength(6);
    expect(await blobSize(session.store, pin.sha256)).toBe(deb.length);
  });

  test('says that it is not certain where the snapshot service alone cannot be asked', async () => {
    const server = await startServer();
    const session = await ownSession(`${server.origin}/debian`);
    const surroundings = { ...session.surroundings, snapshot: `${NOBODY}/archive` };
    const error = await fetchDebs(session.store, [pin], { ...session, surroundings }).catch((reason) => reason);
    expect(error).toBeInstanceOf(VanishedPackages);
    expect(error.isCertain).toBe(false);
  });

  test('does not take a broken mirror for a vanished package', async () => {
    const server = await startServer();
    server.handle = (_, response) => {
      response.writeHead(403).end();
      return true;
    };
    const session = await ownSession(`${server.origin}/debian`);
    const error = await fetchDebs(session.store, [pin], session).catch((reason) => reason);
    expect(error).not.toBeInstanceOf(VanishedPackages);
    expect(error).toMatchObject({ code: 'unreachable' });
    expect(error.details[0]).toContain('403 (forbidden)');
  });

  test('fetches at most eight at once', async () => {
    const server = await startServer();
    let now = 0;
    let most = 0;
    const debs = Array.from({ length: 20 }, (_, number) => rawDeb({ name: `tool${number}` }));
    const pins = debs.map((bytes, number) => pinOf(bytes, { name: `tool${number}` }));
    for (const [number, bytes] of debs.entries()) server.files.set(`/debian/${pins[number]!.path}`, bytes);
    server.handle = (path, response) => {
      now += 1;
      most = Math.max(most, now);
      setTimeout(() => {
        now -= 1;
        response.end(server.files.get(path));
      }, 30);
      return true;
    };
    const session = await ownSession(`${server.origin}/debian`);
    await fetchDebs(session.store, pins, session);
    expect(most).toBe(8);
  });

  test('stops when it is told to', async () => {
    const server = await startServer();
    const stop = new AbortController();
    server.handle = () => {
      stop.abort();
      return true;
    };
    const session = await ownSession(`${server.origin}/debian`, {});
    const context = { ...session.context, signal: stop.signal };
    await expect(fetchDebs(session.store, [pin], { ...session, context })).rejects.toMatchObject({
      code: 'interrupted',
    });
  });

  test.each([
    ['path', { path: 'pool/../../etc/passwd' }],
    ['path to another server', { path: '//evil.example/x.deb' }],
    ['path outside the pool', { path: 'dists/stable/x.deb' }],
    ['suite', { suite: '../x' }],
    ['date', { date: 'yesterday' }],
  ])('refuses a pin with a hostile %s before any request', async (_, change) => {
    const server = await serving('/debian');
    const session = await ownSession(`${server.origin}/debian`);
    const fetched = fetchDebs(session.store, [{ ...pin, ...change }], session);
    await expect(fetched).rejects.toMatchObject({ code: 'input-invalid' });
    expect(server.asked).toEqual([]);
  });
});
