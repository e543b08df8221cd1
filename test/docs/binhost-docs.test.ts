import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/command-line.ts';
import { signerLine } from '../../src/signing/signer-line.ts';
import { allowed, filesOf, newSigner, publishingAs, publishTo } from '../support/binhost.ts';
import { requires } from '../support/requires.ts';
import { installation } from '../support/run-buildit.ts';
import { startStaticServer } from '../support/static-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const text = readFileSync(join(installation, 'docs/binhost.md'), 'utf8');

function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block!);
}

/** Every command of the page: lines of shell blocks, also behind a pipe, and what stands in the text. */
function commands(): string[] {
  const lines = blocks('sh').flatMap((block) =>
    block.split('\n').flatMap((line) => line.replace(/ +# .*/, '').split(' | ')),
  );
  const inline = [...text.matchAll(/`(buildit [^`]+)`/g)].map(([, command]) => command!);
  return [...lines.map((line) => line.replace(/^ssh \S+ /, '')), ...inline].filter((line) =>
    line.startsWith('buildit '),
  );
}

const program = createProgram({ version: '0' } as never, () => undefined);

/** The verb that the words name, and what is left of them. */
function resolve(
  words: readonly string[],
  from: Command = program,
): { readonly verb: Command; readonly rest: readonly string[] } {
  const verb = from.commands.find((command) => command.name() === words[0]);
  return verb === undefined ? { verb: from, rest: words } : resolve(words.slice(1), verb);
}

describe('docs/binhost.md', () => {
  test('is linked from the README', () => {
    expect(readFileSync(join(installation, 'README.md'), 'utf8')).toContain('(docs/binhost.md)');
  });

  test.each(commands().map((command) => [command]))('%s is a verb with these options', (command) => {
    const { verb, rest } = resolve(command.split(/\s+/).slice(1));
    expect(verb.commands).toHaveLength(verb === program ? program.commands.length : 0);
    if (verb === program) expect(rest[0]).toMatch(/\/$/);
    const known = verb.options.map(({ long }) => long);
    for (const word of rest.filter((part) => part.startsWith('--'))) expect(known).toContain(word);
  });

  test('says every file of a place', async () => {
    const directory = temporaryDirectory();
    await publishTo(directory, ['app/one'], publishingAs(newSigner()));
    const shapes = filesOf(directory).map((path) =>
      path
        .replace(/^packages\/[0-9a-f]{2}\/[0-9a-f]{64}\/[0-9a-f]{64}/, 'packages/HH/HASH/KEY')
        .replace(/[0-9a-f]{64}/, 'DIGEST')
        .replace(/gen\/\d+/, 'gen/N'),
    );
    for (const shape of new Set(shapes)) expect(text).toContain(`\`${shape}\``);
  });
});

requires('ssh-keygen').describe('checking without buildit, as docs/binhost.md has it', () => {
  test('ssh-keygen accepts record and pointer, and sha256sum finds a damaged blob', async () => {
    const [directory, alice] = [temporaryDirectory(), newSigner()];
    await publishTo(directory, ['app/one'], publishingAs(alice));
    const signers = join(directory, 'allowed_signers');
    writeFileSync(signers, `${signerLine(allowed({ name: 'alice@example.org', signer: alice }))}\n`);
    const record = filesOf(directory).find((path) => /^packages\/.*\.json$/.test(path))!;
    const script = blocks('sh')
      .find((block) => block.includes('ssh-keygen -Y'))!
      .replace(/cd \S+ && (.*)/, `(cd ${join(record, '..')} && $1)`)
      .replaceAll('KEY.json', record.split('/').at(-1)!)
      .replaceAll('-f allowed_signers', `-f ${signers}`);
    const [blob] = readdirSync(join(directory, 'blobs/sha256'));
    writeFileSync(join(directory, 'blobs/sha256', blob!), 'changed');
    const said = execFileSync('sh', ['-ec', script], { cwd: directory, encoding: 'utf8' });
    expect(said.match(/^Good "buildit-(package|index)" signature/gm)).toHaveLength(2);
    expect(said.trim().split('\n').at(-1)).toBe(`${blob} is damaged`);
  });
});

requires('nginx', 'openssl').describe('nginx, as docs/binhost.md has it', () => {
  test('shows the page, the pointer and no uploads that are going on', async () => {
    const root = temporaryDirectory();
    const directory = join(root, 'containers');
    execFileSync('chmod', ['755', root]);
    await publishTo(directory, ['app/one'], publishingAs(newSigner()));
    writeFileSync(join(directory, 'index.html'), '<p>page');
    writeFileSync(join(directory, '.incoming/half'), 'half');
    const lines = blocks('nginx')[0]!.trim().split('\n');
    const server = await startStaticServer(root, {
      scheme: 'http',
      config: lines.filter((line) => !line.startsWith('root ')),
    });
    const status = async (path: string) => (await fetch(`http://${server.at}/${path}`, { redirect: 'manual' })).status;
    expect(await status('containers?ac-discovery=1')).toBe(200);
    expect(await status('containers/index/current.json')).toBe(200);
    expect(await status('containers/.incoming/half')).toBe(404);
    expect(await status('containers/blobs')).toBe(404);
  });
});
