import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { coloursFor } from '../../../src/cli/colours.ts';
import type { Invocation, Receipt } from '../../../src/cli/receipt/receipt.ts';
import { receiptText } from '../../../src/cli/receipt/receipt-text.ts';
import { renderSecondRun } from '../../../src/cli/receipt/second-run.ts';
import { writeReceipt } from '../../../src/cli/receipt/write-receipt.ts';
import type { BuilditEvent } from '../../../src/model/events.ts';
import { createWitness } from '../../../src/system/witness.ts';
import { installation, runBuildit } from '../../support/run-buildit.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const LONG_AGO = new Date('2026-01-01T00:00:00Z');
const PRINTED = { stdout: 'Building hello-1.0.0\nFound HASH locally... [OK]\n', stderr: '  out/oci\n' };

/**
 * A directory with a definition, and the receipt of a run that read it and looked for a lock in vain. The name `hello`
 * is no directory: a run that does not go by the receipt ends with 64.
 */
async function runWithReceipt(argv: readonly string[] = ['hello']) {
  const cwd = temporaryDirectory();
  const definition = join(cwd, 'container.yaml');
  writeFileSync(definition, 'first');
  utimesSync(definition, LONG_AGO, LONG_AGO);
  const environment: Record<string, string> = {
    PATH: process.env.PATH!,
    HOME: cwd,
    BUILDIT_STORE: join(cwd, 'store'),
    LC_ALL: 'C.UTF-8',
  };
  const invocation: Invocation = { argv, cwd, environment, terminals: [false, false] };
  const witness = createWitness();
  witness.read(definition);
  witness.missing(join(cwd, 'buildit.lock'));
  await writeReceipt(installation, invocation, { ...PRINTED, sightings: witness.sightings() });
  const again = (changed: { argv?: readonly string[]; environment?: Record<string, string> } = {}) =>
    runBuildit(changed.argv ?? argv, { cwd, environment: { ...environment, ...changed.environment } });
  return { cwd, definition, again };
}

function replace(path: string, make: () => unknown): void {
  rmSync(path);
  make();
}

const BY_RECEIPT = { exitCode: 0, ...PRINTED };

describe('a receipt', () => {
  test('answers the same run with what it would print', async () => {
    const { again } = await runWithReceipt();
    expect(await again()).toEqual(BY_RECEIPT);
  });

  test.each<[string, (cwd: string) => void]>([
    ['a file that was read changed', (cwd) => writeFileSync(join(cwd, 'container.yaml'), 'other')],
    ['a file that was looked for in vain appeared', (cwd) => writeFileSync(join(cwd, 'buildit.lock'), '{}')],
  ])('does not answer when %s', async (_, change) => {
    const { cwd, again } = await runWithReceipt();
    change(cwd);
    expect((await again()).exitCode).toBe(64);
  });

  test.each<[string, { argv?: readonly string[]; environment?: Record<string, string> }]>([
    ['other arguments', { argv: ['hello', '--offline'] }],
    ['--verify', { argv: ['hello', '--verify'] }],
    ['another setting in the environment', { environment: { BUILDIT_JOBS: '2' } }],
    ['another home', { environment: { HOME: '/nonexistent' } }],
    ['another store', { environment: { BUILDIT_STORE: '/nonexistent' } }],
  ])('does not answer a run with %s', async (_, changed) => {
    const { again } = await runWithReceipt();
    expect((await again(changed)).exitCode).toBe(64);
  });

  test('is not affected by the rest of the environment', async () => {
    const { again } = await runWithReceipt();
    expect(await again({ environment: { LANG: 'de_DE.UTF-8', SSH_TTY: '/dev/pts/3' } })).toEqual(BY_RECEIPT);
  });

  test('is found by the --store of the command line, whichever way it is written', async () => {
    for (const option of [['--store', 'here'], ['--store=here']]) {
      const { cwd, again } = await runWithReceipt(['hello', ...option]);
      expect(await again()).toEqual(BY_RECEIPT);
      expect(readdirSync(join(cwd, 'here'))).toEqual(['receipts']);
    }
  });

  test('is not written for a run during which something changed', async () => {
    const cwd = temporaryDirectory();
    const definition = join(cwd, 'container.yaml');
    writeFileSync(definition, 'first');
    const witness = createWitness();
    witness.read(definition);
    writeFileSync(definition, 'edited while the build ran');
    const invocation = { argv: ['hello'], cwd, environment: { HOME: cwd }, terminals: [false, false] } as const;
    await writeReceipt(
      installation,
      { ...invocation, environment: { BUILDIT_STORE: join(cwd, 'store') } },
      {
        ...PRINTED,
        sightings: witness.sightings(),
      },
    );
    expect(readdirSync(cwd)).toEqual(['container.yaml']);
  });

  test.each<[string, (path: string) => void]>([
    ['that others may write', (path) => chmodSync(path, 0o666)],
    ['that is cut short', (path) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, 100))],
    [
      'of another format',
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"format":2', '"format":1')),
    ],
  ])('%s is passed over', async (_, spoil) => {
    const { cwd, again } = await runWithReceipt();
    const directory = join(cwd, 'store/receipts');
    spoil(join(directory, readdirSync(directory)[0]!));
    expect((await again()).exitCode).toBe(64);
  });

  const WHOLE = { format: 2, stdout: '', stderr: '', sightings: [], images: [] };
  test.each<[string, (path: string) => void]>([
    ['null', (path) => writeFileSync(path, 'null', { mode: 0o600 })],
    ['a format alone', (path) => writeFileSync(path, receiptText(path, { format: 2 } as never))],
    [
      'a sighting that is none',
      (path) => writeFileSync(path, receiptText(path, { ...WHOLE, sightings: [null] } as never)),
    ],
    ['numbers for text', (path) => writeFileSync(path, receiptText(path, { ...WHOLE, stdout: 1 } as never))],
    ['another digit', (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('hello-1.0.0', 'hello-1.0.1'))],
    ['the text of another receipt', (path) => writeFileSync(path, receiptText(`${path}x`, WHOLE as Receipt))],
    ['many bytes', (path) => truncateSync(path, 2 ** 31)],
    ['a directory', (path) => replace(path, () => mkdirSync(join(path, 'in it'), { recursive: true }))],
    ['a link', (path) => replace(path, () => symlinkSync('/dev/zero', path))],
    ['a named pipe', (path) => replace(path, () => execFileSync('mkfifo', [path]))],
  ])('that is %s is removed, and the run goes on without it', async (_, spoil) => {
    const { cwd, again } = await runWithReceipt();
    const directory = join(cwd, 'store/receipts');
    spoil(join(directory, readdirSync(directory)[0]!));
    expect((await again()).exitCode).toBe(64);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('does not print a digest that the layout no longer has', async () => {
    const cwd = temporaryDirectory();
    const index = join(cwd, 'index.json');
    const environment = { PATH: process.env.PATH!, HOME: cwd, BUILDIT_STORE: join(cwd, 'store'), LC_ALL: 'C.UTF-8' };
    const invocation = { argv: ['hello'], cwd, environment, terminals: [false, false] } as const;
    const images = [{ index, digest: 'sha256:aa' }];
    writeFileSync(index, '{"digest":"sha256:aa"}');
    await writeReceipt(installation, invocation, { ...PRINTED, sightings: [], images });
    expect(await runBuildit(['hello'], { cwd, environment })).toEqual(BY_RECEIPT);
    writeFileSync(index, '{"digest":"sha256:ab"}');
    expect((await runBuildit(['hello'], { cwd, environment })).exitCode).toBe(64);
  });

  test('compares the content of a file that was fresh, until its times are old enough to tell', async () => {
    const cwd = temporaryDirectory();
    const definition = join(cwd, 'container.yaml');
    writeFileSync(definition, 'fresh');
    const aboutNow = new Date(Date.now() - 1200);
    utimesSync(definition, aboutNow, aboutNow);
    const environment = { PATH: process.env.PATH!, HOME: cwd, BUILDIT_STORE: join(cwd, 'store'), LC_ALL: 'C.UTF-8' };
    const witness = createWitness();
    witness.read(definition);
    const invocation = { argv: ['hello'], cwd, environment, terminals: [false, false] } as const;
    await writeReceipt(installation, invocation, { ...PRINTED, sightings: witness.sightings() });
    const directory = join(cwd, 'store/receipts');
    const hashed = () =>
      (
        JSON.parse(readFileSync(join(directory, readdirSync(directory)[0]!), 'utf8').split('\n')[1]!) as {
          sightings: { path: string; sha256?: string }[];
        }
      ).sightings.filter(({ path, sha256 }) => path === definition && sha256 !== undefined).length;
    expect(hashed()).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(await runBuildit(['hello'], { cwd, environment })).toEqual(BY_RECEIPT);
    expect(hashed()).toBe(0);
    expect(await runBuildit(['hello'], { cwd, environment })).toEqual(BY_RECEIPT);
  });

  test('that cannot be kept is no failure', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'store'), 'a file');
    const invocation = {
      argv: ['x'],
      cwd,
      environment: { BUILDIT_STORE: join(cwd, 'store') },
      terminals: [false, false],
    } as const;
    await expect(writeReceipt(installation, invocation, { ...PRINTED, sightings: [] })).resolves.toBeUndefined();
  });

  test('old ones make room for new ones', async () => {
    const cwd = temporaryDirectory();
    const directory = join(cwd, 'store/receipts');
    mkdirSync(directory, { recursive: true });
    for (let index = 0; index < 230; index += 1) {
      writeFileSync(join(directory, `${index}.json`), '{}');
      utimesSync(join(directory, `${index}.json`), LONG_AGO, LONG_AGO);
    }
    const invocation = {
      argv: ['x'],
      cwd,
      environment: { BUILDIT_STORE: join(cwd, 'store') },
      terminals: [false, false],
    } as const;
    await writeReceipt(installation, invocation, { ...PRINTED, sightings: [] });
    const names = readdirSync(directory);
    expect(names).toHaveLength(200);
    expect(names.filter((name) => name.length > 60)).toHaveLength(1);
  });
});

test('what a second run prints is the transcript with everything found', () => {
  const hash = 'd'.repeat(64);
  const events: readonly BuilditEvent[] = [
    { kind: 'container-started', title: 'hello-1.0.0' },
    { kind: 'notice', text: 'buildit.lock written' },
    { kind: 'package-started', hash, label: "package 'app-misc/hello'", platform: 'linux/amd64' },
    { kind: 'package-missed', hash, reason: 'never built' },
    { kind: 'package-built', hash },
    { kind: 'image-started', label: 'hello-1.0.0 as OCI' },
    { kind: 'image-finished', label: 'hello-1.0.0 as OCI', results: [] },
  ];
  const colours = coloursFor(false, {});
  expect(renderSecondRun(events, ['out/oci  sha256:ab'], { quiet: false, colours, service: undefined })).toEqual({
    stdout: [
      'Building hello-1.0.0',
      "Processing package 'app-misc/hello' for linux/amd64.",
      'HASH: dddddddd-dddd-8ddd-9ddd-dddddddddddd',
      'Found HASH locally... [OK]',
      'Packaging hello-1.0.0 as OCI... [OK]',
      '',
    ].join('\n'),
    stderr: '  out/oci  sha256:ab\n',
  });
  expect(renderSecondRun(events, ['out/oci'], { quiet: true, colours, service: undefined })).toEqual({
    stdout: 'out/oci\n',
    stderr: '',
  });
});

test('what answers from a receipt imports nothing but modules of Node', () => {
  const seen = new Set<string>();
  const foreign: string[] = [];
  const visit = (url: URL) => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    for (const [, target] of readFileSync(url, 'utf8').matchAll(/^import (?!type )[^;]*?from '([^']+)'/gm)) {
      if (target!.startsWith('.')) visit(new URL(target!, url));
      else if (!target!.startsWith('node:')) foreign.push(target!);
    }
  };
  visit(new URL('../../../src/cli/receipt/try-receipt.ts', import.meta.url));
  expect(foreign).toEqual([]);
  expect(seen.size).toBeLessThan(8);
});
