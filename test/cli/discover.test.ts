import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRepository } from '../support/forge.ts';
import { makeAuthority, PRIVATE_INTERNET_TOOLS, runInPrivateInternet } from '../support/private-internet.ts';
import { programPath, requires } from '../support/requires.ts';
import { installation, runBuildit } from '../support/run-buildit.ts';
import { programCommand } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const KEY = `SHA256:${'a'.repeat(43)}`;

function withBuilditJson(json: unknown): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'team'));
  writeFileSync(join(directory, 'team/repository.yaml'), 'name: team\n');
  writeFileSync(join(directory, 'buildit.json'), JSON.stringify(json));
  return directory;
}

const OFFER = {
  format: 1,
  name: 'containers',
  description: 'Containers of \u202eSysadmin42',
  recipes: [{ name: 'team', path: 'team' }],
  binhosts: [{ name: 'big', 'download-type': 'https', 'download-path': 'example.org/containers' }],
  signers: [KEY],
};

describe('buildit discover', () => {
  test('prints each step with its answer, then what is offered', async () => {
    const cwd = withBuilditJson(OFFER);
    const { exitCode, stdout, stderr } = await runBuildit(['discover', '.'], { cwd });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  '))).toEqual([
      'TRIED  ANSWER',
      'configured names (none)  not among them',
      `${cwd}/buildit.json  found`,
      '',
      'Containers of \\u202eSysadmin42',
      'OFFER  NAME  WHERE',
      'recipes  team  team',
      'binhost  big  https://example.org/containers',
      `signer  ${KEY}`,
      'A signer counts only with trust=SHA256:… or in your configuration.',
      '',
    ]);
  });

  test('prints one document with --json', async () => {
    const { exitCode, stdout } = await runBuildit(['discover', '.', '--json'], { cwd: withBuilditJson(OFFER) });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      location: '.',
      steps: [{ tried: 'configured names (none)' }, { answer: 'found' }],
      recipes: [{ name: 'team', path: 'team' }],
      binhosts: [{ name: 'big', downloadType: 'https', downloadPath: 'example.org/containers' }],
      signers: [KEY],
    });
  });

  test('ends with 69 where nothing is found, with everything tried', async () => {
    const { exitCode, stdout, stderr } = await runBuildit(['discover', 'localhost:1/x']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 69, stdout: '' });
    expect(stderr).toContain('error: Cannot discover "localhost:1/x": expected recipes or a binhost, found neither');
    expect(stderr).toContain('https://localhost:1/x?ac-discovery=1: connection refused');
    expect(stderr).toContain('https://localhost:1/.well-known/buildit.json: not asked');
  });

  test('prints the steps as a document too where nothing is found', async () => {
    const { exitCode, stdout, stderr } = await runBuildit(['discover', './nowhere', '--json']);
    expect(exitCode).toBe(69);
    expect(JSON.parse(stdout)).toMatchObject({
      location: './nowhere',
      recipes: [],
      steps: [{}, { answer: 'not there' }],
    });
    expect(stderr).toContain('Cannot discover "./nowhere"');
  });

  test.each([
    [['https://me:s3cret@example.org/x'], 64, 'a user or a password'],
    [['ext::id'], 64, 'the scheme "ext:"'],
    [['.,psuh=True'], 64, 'did you mean "push="?'],
    [[], 64, "missing required argument 'location'"],
    [['example.org', '--offline'], 69, 'found --offline'],
  ])('refuses %j with %i', async (argv, code, said) => {
    const { exitCode, stdout, stderr } = await runBuildit(['discover', ...argv]);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('s3cret');
  });

  test('shows the mistakes of a buildit.json at their places', async () => {
    const cwd = withBuilditJson({ ...OFFER, recipies: [] });
    const { exitCode, stderr } = await runBuildit(['discover', '.'], { cwd });
    expect(exitCode).toBe(65);
    expect(stderr).toContain('found the unknown key "recipies"');
    expect(stderr).toContain('did you mean "recipes"?');
  });
});

requires('git', 'openssl', ...PRIVATE_INTERNET_TOOLS).describe('in an internet of its own', () => {
  /** Starts what stands in for github.com, waits until it is there, and runs buildit. */
  const SCRIPT = `node=$1; shift
mkfifo "$PLACE/said"
"$node" --import "$TSX" "$FORGE" "$PLACE/repositories" "$PLACE/host-1.pem" "$PLACE/host-1.key" 443 > "$PLACE/said" &
read -r ready < "$PLACE/said"
"$node" "$BUILDIT" "$@"`;

  function prepare() {
    const place = temporaryDirectory();
    chmodSync(place, 0o755);
    const authority = makeAuthority(place);
    authority.certificateFor(['github.com']);
    const forge = programCommand(new URL('../support/forge.ts', import.meta.url));
    const environment = {
      PLACE: place,
      TSX: forge[2]!,
      FORGE: forge[3]!,
      BUILDIT: `${installation}/bin/buildit.js`,
      HOME: place,
      BUILDIT_STORE: join(place, 'store'),
      LC_ALL: 'C.UTF-8',
    };
    const discover = (location: string, binds: readonly (readonly [string, string])[] = []) =>
      runInPrivateInternet({
        hosts: ['github.com', 'mysuperbinhost.org'],
        command: ['sh', '-c', SCRIPT, 'sh', process.execPath, 'discover', location],
        caPath: authority.caPath,
        cwd: place,
        environment,
        binds,
      });
    return { place, repositories: join(place, 'repositories'), discover };
  }

  test('github.com/sysadmin42/containers is a git repository', async () => {
    const { repositories, discover } = prepare();
    const revision = createRepository(repositories, 'sysadmin42/containers', {
      'buildit.json': JSON.stringify({
        ...OFFER,
        binhosts: [
          { name: 'mysuperbinhost', 'download-type': 'https', 'download-path': 'mysuperbinhost.org/containers' },
        ],
      }),
      'team/repository.yaml': 'name: team\n',
    });
    const { exitCode, stdout, stderr } = await discover('github.com/sysadmin42/containers,push=True');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`https://github.com/sysadmin42/containers.git, path team, at ${revision.slice(0, 12)}`);
    expect(stdout).toContain('https://mysuperbinhost.org/containers');
  });

  test('a repository that is not there, and a host that is down, are told as such', async () => {
    const { discover } = prepare();
    const missing = await discover('github.com/sysadmin42/nothing');
    expect(missing).toMatchObject({ exitCode: 69 });
    expect(missing.stderr).toContain('authentication wanted, or nothing of that name');
    const unknown = await discover('nowhere.example.org/x');
    expect(unknown).toMatchObject({ exitCode: 69 });
    expect(unknown.stderr).toMatch(
      /nowhere\.example\.org\/x\?ac-discovery=1: (an unknown host name|no answer from the name server)/,
    );
  });

  test('a machine without git is told what to install', async () => {
    const { place, discover } = prepare();
    // The forge is not asked: this machine has a file in place of git that cannot be run.
    writeFileSync(join(place, 'no-program'), '', { mode: 0o644 });
    const { exitCode, stderr } = await discover('github.com/sysadmin42/containers', [
      [join(place, 'no-program'), programPath('git')!],
    ]);
    expect(exitCode).toBe(69);
    expect(stderr).toContain('no git on this machine');
    expect(stderr).toContain('hint: install it: sudo apt install git');
  });
});
