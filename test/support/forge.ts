import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Certificate } from './private-internet.ts';

export interface Forge {
  readonly port: number;
  /** Addresses that were asked for, without the host, in order. */
  readonly asked: readonly string[];
  close(): void;
}

export interface ForgeOptions {
  /** Directory with bare repositories: `sysadmin42/containers.git`. */
  readonly repositories: string;
  readonly certificate: Certificate;
  /** 0, the default, takes a free one. */
  readonly port?: number;
}

/**
 * A git forge over https on 127.0.0.1: `git http-backend` under a small server. Like the big ones it serves a repository
 * with and without `.git` at its end, and says 401 for what is not there.
 */
export async function startForge({ repositories, certificate, port = 0 }: ForgeOptions): Promise<Forge> {
  const asked: string[] = [];
  const server = createServer(
    { cert: readFileSync(certificate.certificatePath), key: readFileSync(certificate.keyPath) },
    (request, response) => {
      asked.push(request.url ?? '');
      answer(request, response, repositories);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, repositories: string): void {
  const url = new URL(request.url ?? '/', 'https://forge');
  const path = /^(\/[\w.~-]+\/[\w.-]+?)(?:\.git)?(\/(?:info\/refs|git-upload-pack))$/.exec(url.pathname);
  if (path === null) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="forge"' }).end('nothing for you');
    return;
  }
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: repositories,
      GIT_HTTP_EXPORT_ALL: '1',
      // The repositories may belong to whoever ran the tests.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      PATH_INFO: `${path[1]}.git${path[2]}`,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  backend.stdin.on('error', () => undefined);
  request.pipe(backend.stdin);
  const chunks: Buffer[] = [];
  backend.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  backend.on('close', () => sendAsHttp(Buffer.concat(chunks), response));
}

/** RFC 3875 section 6: headers, an empty line, the body; `Status` is the status. */
function sendAsHttp(output: Buffer, response: ServerResponse): void {
  const end = output.indexOf('\r\n\r\n');
  const headers = output
    .toString('latin1', 0, Math.max(0, end))
    .split('\r\n')
    .map((line) => line.split(/:\s*/, 2) as [string, string]);
  const status = headers.find(([name]) => name.toLowerCase() === 'status')?.[1];
  // A forge does not tell what is private from what is missing.
  response.statusCode = end < 0 || status?.startsWith('404') ? 401 : Number.parseInt(status ?? '200', 10);
  for (const [name, value] of headers)
    if (name.toLowerCase() !== 'status' && name !== '') response.setHeader(name, value);
  response.end(output.subarray(end + 4));
}

/** Content of files by path. */
export type RepositoryFiles = Readonly<Record<string, string>>;

/** Makes a bare repository with one commit on `main`, and gives the commit's id. Needs `git`. */
export function createRepository(repositories: string, name: string, files: RepositoryFiles): string {
  const bare = join(repositories, `${name}.git`);
  mkdirSync(bare, { recursive: true });
  git(bare, ['init', '--quiet', '--bare', '--initial-branch=main', '.']);
  return commitFiles(repositories, name, files);
}

/** Adds a commit with exactly these files to a branch. */
export function commitFiles(repositories: string, name: string, files: RepositoryFiles, branch = 'main'): string {
  const work = mkdtempSync(join(tmpdir(), 'buildit-forge-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(work, path)), { recursive: true });
      writeFileSync(join(work, path), content);
    }
    const bare = join(repositories, `${name}.git`);
    const index = { GIT_INDEX_FILE: join(work, '.index') };
    git(
      bare,
      ['-c', 'core.safecrlf=false', '--work-tree', work, 'add', '--all', '--force', '--', ...Object.keys(files)],
      { environment: index },
    );
    const tree = git(bare, ['write-tree'], { environment: index });
    return commitTree(bare, tree, branch);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** One entry of a tree that git itself would not make: `120000`, a name with `..`. */
export interface OddEntry {
  readonly mode: string;
  readonly name: string;
  readonly content: string;
}

/** Makes a bare repository whose one commit has a tree of just these entries, unchecked. */
export function createOddRepository(repositories: string, name: string, entries: readonly OddEntry[]): string {
  createRepository(repositories, name, { 'buildit.json': '{"format": 1, "name": "odd"}' });
  const bare = join(repositories, `${name}.git`);
  const lines = entries.map(({ mode, name: entry, content }) => {
    const id = mode === '160000' ? '1'.repeat(40) : git(bare, ['hash-object', '-w', '--stdin'], { input: content });
    return Buffer.concat([Buffer.from(`${mode} ${entry}\0`), Buffer.from(id, 'hex')]);
  });
  const write = ['hash-object', '--literally', '-t', 'tree', '-w', '--stdin'];
  return commitTree(bare, git(bare, write, { input: Buffer.concat(lines) }), 'main');
}

function commitTree(bare: string, tree: string, branch: string): string {
  const commit = git(bare, ['commit-tree', '-m', 'a commit of a test', tree]);
  git(bare, ['update-ref', `refs/heads/${branch}`, commit]);
  return commit;
}

/** Runs git in a repository as a person whom nobody knows; gives what it printed. */
export function git(
  directory: string,
  argv: readonly string[],
  { environment = {}, input = '' }: { environment?: Record<string, string>; input?: string | Buffer } = {},
): string {
  const person = {
    GIT_AUTHOR_NAME: 'A',
    GIT_AUTHOR_EMAIL: 'a@a.test',
    GIT_COMMITTER_NAME: 'A',
    GIT_COMMITTER_EMAIL: 'a@a.test',
  };
  return execFileSync('git', argv, {
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      ...person,
      ...environment,
    },
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'inherit'],
  }).trim();
}

/** `forge.ts REPOSITORIES CERTIFICATE KEY PORT`: a forge as a program of its own; says `ready` when it is. */
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [repositories, certificatePath, keyPath, port] = process.argv.slice(2) as [string, string, string, string];
  await startForge({ repositories, certificate: { certificatePath, keyPath }, port: Number(port) });
  process.stdout.write('ready\n');
}
