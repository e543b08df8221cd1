import { describe, expect, test } from 'vitest';
import { keepOutput, type OutputRules } from '../../src/build/keep-output.ts';
import { readListing } from '../../src/layer/listing.ts';
import { once } from '../../src/layer/tar-member.ts';
import type { Capability } from '../../src/model/capability.ts';
import { openStore } from '../../src/store/store.ts';
import { rawMember, rawPax, rawTar } from '../layer/raw-tar.ts';
import { snapshotOf } from '../layer/snapshot.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const position = { file: 'pkg.yaml', line: 7, column: 3, excerpt: '' };
const able = (path: string, ...capabilities: readonly Capability[]) => ({ path, capabilities, position });
const PACKED = rawTar(
  rawMember({ name: './sbin/', type: '5', mode: '0000755\0' }),
  rawMember({ name: './sbin/ping', mode: '0000755\0' }, 'ping'),
  rawMember({ name: './sbin/ping4', type: '2', link: 'ping' }),
  rawPax({ 'SCHILY.xattr.security.capability': Buffer.from('0100000200040000000000000000000000000000', 'hex') }),
  rawMember({ name: './usr/bin/one' }, 'one'),
  rawMember({ name: './usr/bin/two', type: '1', link: './usr/bin/one' }),
  rawMember({ name: './usr/lib/', type: '5', mode: '0000755\0' }),
  rawMember({ name: './usr/lib/debug/x' }, 'debug'),
);

async function keep(rules: Partial<OutputRules>) {
  const store = await openStore(temporaryDirectory());
  const before = snapshotOf(store.directory);
  const general = { name: 'a/ping', sourceDate: 1_600_000_000, ownsTopLinks: false };
  const kept = keepOutput(store, once(PACKED), { ...general, ...rules });
  const outputs = await kept.catch((error: unknown) => error as Error);
  if (outputs instanceof Error) {
    const isLeft = (path: string) => /^(blobs|trees|encodings)\//.test(path);
    expect(snapshotOf(store.directory).filter(({ path }) => isLeft(path))).toEqual(
      before.filter(({ path }) => isLeft(path)),
    );
    throw outputs;
  }
  const found = [];
  for (const [name, { listing }] of Object.entries(outputs)) {
    for (const entry of await readListing(store, listing)) {
      if ('capabilities' in entry) found.push([name, entry.path, entry.capabilities]);
    }
  }
  return { outputs, found };
}

describe('capabilities of a recipe', () => {
  test('are given to files under their merged paths, whatever part of the package they are in', async () => {
    const capabilities = [able('usr/lib/debug/x', 'cap_kill'), able('usr/sbin/ping', 'cap_net_admin', 'cap_net_raw')];
    const debug = { name: 'debug', files: ['usr/lib/debug/**'], run: [] };
    expect((await keep({ capabilities })).found).toEqual([
      ['main', 'usr/lib/debug/x', ['cap_kill']],
      ['main', 'usr/sbin/ping', ['cap_net_admin', 'cap_net_raw']],
    ]);
    expect((await keep({ capabilities, subpackages: [debug] })).found).toEqual([
      ['main', 'usr/sbin/ping', ['cap_net_admin', 'cap_net_raw']],
      ['debug', 'usr/lib/debug/x', ['cap_kill']],
    ]);
    expect((await keep({ capabilities: [able('sbin/ping', 'cap_chown')], ownsTopLinks: true })).found).toEqual([
      ['main', 'sbin/ping', ['cap_chown']],
    ]);
  });

  test('are not taken from the output itself, and change a layer only where there are some', async () => {
    const [without, empty] = [await keep({}), await keep({ capabilities: [] })];
    expect(without).toEqual({ ...empty, found: [] });
    const { outputs } = await keep({ capabilities: [able('usr/sbin/ping', 'cap_chown')] });
    expect(outputs.main!.size).toBe(without.outputs.main!.size + 1024);
  });

  test.each([
    ['usr/sbin/pong', 'nothing', undefined],
    ['sbin/ping', 'nothing', 'in a package it is usr/sbin/ping'],
    ['usr/sbin/ping4', 'a symbolic link', undefined],
    ['usr/bin', 'nothing', undefined],
    ['usr/lib', 'a directory', undefined],
    ['usr/bin/one', 'a file with several names', undefined],
    ['usr/bin/two', 'a file with several names', undefined],
  ])('of %s are refused, and nothing is kept', async (path, found, hint) => {
    const message = `Cannot give capabilities to "${path}" of "a/ping": expected a regular file that the build installs, found ${found}`;
    for (const subpackages of [[], [{ name: 'doc', files: ['usr/share/doc/**'], run: [] }]]) {
      await expect(keep({ capabilities: [able(path, 'cap_chown')], subpackages })).rejects.toMatchObject({
        code: 'build-failed',
        message,
        hint,
        position,
      });
    }
  });

  test('are complained about all at once', async () => {
    const kept = keep({ capabilities: [able('usr/bin/a', 'cap_chown'), able('usr/bin/b', 'cap_chown')] });
    await expect(kept).rejects.toMatchObject({ errors: [{ code: 'build-failed' }, { code: 'build-failed' }] });
  });
});
