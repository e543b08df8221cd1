import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { createTarballFinder } from '../../src/debian/create-tarball-finder.ts';
import { sha256 } from '../../src/model/digest.ts';
import { type OwnServer, ownSession, releaseText, signed, startServer } from './own-archive.ts';

const tarball = Buffer.from('a tarball');
const wanted = { sourcePackage: 'tool', sha256: sha256(tarball) };

async function publishSources(
  server: OwnServer,
  suite: string,
  version: string,
  bytes: Buffer,
  validUntil?: string,
): Promise<void> {
  const text = `Package: tool
Version: ${version}-1
Checksums-Sha256:
 ${sha256('dsc')} 3 tool_${version}-1.dsc
 ${sha256(bytes)} ${bytes.length} tool_${version}.orig.tar.gz
Directory: pool/main/t/tool
`;
  const index = gzipSync(text);
  const files = { 'main/source/Sources.gz': index };
  server.files.set(
    `/debian/dists/${suite}/InRelease`,
    await signed(releaseText(files, validUntil === undefined ? { suite } : { suite, validUntil })),
  );
  server.files.set(`/debian/dists/${suite}/main/source/Sources.gz`, index);
}

describe('createTarballFinder', () => {
  test('finds a tarball in any suite, by its digest', async () => {
    const server = await startServer();
    await publishSources(server, 'stable', '1.0', Buffer.from('another one'));
    await publishSources(server, 'testing', '2.0', tarball);
    const session = await ownSession(`${server.origin}/debian`);
    const found = await createTarballFinder({ ...session, suites: ['stable', 'testing'] })(wanted);
    expect(found).toEqual({
      suite: 'testing',
      size: tarball.length,
      urls: [
        `${server.origin}/debian/pool/main/t/tool/tool_2.0.orig.tar.gz`,
        `${server.origin}/archive/debian/20260101T000000Z/pool/main/t/tool/tool_2.0.orig.tar.gz`,
      ],
    });
  });

  test('asks for nothing twice but whether the suite changed', async () => {
    const server = await startServer();
    await publishSources(server, 'stable', '1.0', tarball);
    const options = { ...(await ownSession(`${server.origin}/debian`)), suites: ['stable'] };
    const first = await createTarballFinder(options)(wanted);
    server.asked.length = 0;
    expect(await createTarballFinder(options)(wanted)).toEqual(first);
    expect(server.asked).toEqual(['/debian/dists/stable/InRelease']);
  });

  test('reads a suite once for all questions, those that come at once too', async () => {
    const server = await startServer();
    await publishSources(server, 'stable', '1.0', Buffer.from('another one'));
    await publishSources(server, 'testing', '2.0', tarball);
    const session = await ownSession(`${server.origin}/debian`);
    const find = createTarballFinder({ ...session, suites: ['stable', 'testing'] });
    const found = await Promise.all([find(wanted), find(wanted), find({ ...wanted, sourcePackage: 'other' })]);
    expect(found).toMatchObject([{ suite: 'testing' }, { suite: 'testing' }, undefined]);
    const asked = server.asked.filter((path) => path.startsWith('/debian/dists/'));
    expect(asked.length).toBeGreaterThan(0);
    expect(new Set(asked).size).toBe(asked.length);
  });

  test('the same bytes in another source package are not what was asked for', async () => {
    const server = await startServer();
    await publishSources(server, 'stable', '1.0', tarball);
    const options = { ...(await ownSession(`${server.origin}/debian`)), suites: ['stable'] };
    expect(await createTarballFinder(options)({ ...wanted, sourcePackage: 'other' })).toBeUndefined();
    expect(await createTarballFinder(options)({ ...wanted, sha256: sha256('x') })).toBeUndefined();
  });

  test('a suite that nobody has is passed over', async () => {
    const server = await startServer();
    await publishSources(server, 'stable', '1.0', tarball);
    const session = await ownSession(`${server.origin}/debian`);
    const found = await createTarballFinder({ ...session, suites: ['absent', 'stable'] })(wanted);
    expect(found?.suite).toBe('stable');
    expect(session.events).toEqual([]);
  });

  test('suites that could not be looked through are told where nothing was found', async () => {
    const server = await startServer();
    await publishSources(server, 'stable', '../1.0', tarball);
    const session = await ownSession(`${server.origin}/debian`);
    expect(await createTarballFinder({ ...session, suites: ['absent', 'stable'] })(wanted)).toBeUndefined();
    expect(session.events).toMatchObject([
      { kind: 'notice', text: expect.stringContaining('absent') },
      { kind: 'notice', text: expect.stringContaining('expected a version of tool') },
    ]);
  });

  test('an index whose time is over still serves: the digest is known', async () => {
    const server = await startServer();
    await publishSources(server, 'stable', '1.0', tarball, 'Fri, 02 Jan 2026 00:00:00 UTC');
    const session = await ownSession(`${server.origin}/debian`);
    expect((await createTarballFinder({ ...session, suites: ['stable'] })(wanted))?.suite).toBe('stable');
  });
});
