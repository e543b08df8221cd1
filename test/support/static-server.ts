import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { programPath } from './requires.ts';
import { freePort, listening } from './sshd.ts';

export interface StaticServer {
  /** `127.0.0.1:PORT`. */
  readonly at: string;
  readonly port: number;
  /** What is shown. */
  readonly directory: string;
  /** PEM text of the test's own authority. */
  readonly ca: string;
  /** The log so far: a line for each request, `GET /path 200`, written when its answer is on its way: to be polled. */
  requests(): readonly string[];
  /** Stops it and removes its files, but not what it showed. */
  remove(): Promise<void>;
}

export interface StaticServerOptions {
  readonly scheme?: 'https' | 'http';
  /** Further lines of the server section. */
  readonly config?: readonly string[];
}

/** A real nginx that is gone with the test. */
export async function startStaticServer(directory: string, options: StaticServerOptions = {}): Promise<StaticServer> {
  const server = await launchStaticServer(directory, options);
  onTestFinished(server.remove);
  return server;
}

/** A real nginx that shows a directory on loopback, with a certificate of an authority of the test's own. */
export async function launchStaticServer(
  directory: string,
  { scheme = 'https', config = [] }: StaticServerOptions = {},
): Promise<StaticServer> {
  const work = mkdtempSync(join(tmpdir(), 'buildit-nginx-'));
  chmodSync(work, 0o755);
  mkdirSync(join(work, 'temporary'));
  const ca = makeAuthority(work);
  const port = await freePort();
  writeFileSync(join(work, 'nginx.conf'), configuration(work, directory, port, scheme, config));
  const nginx = spawn(
    programPath('nginx')!,
    ['-p', work, '-c', join(work, 'nginx.conf'), '-e', join(work, 'error.log')],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let said = '';
  nginx.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const end = new Promise((resolve) => nginx.once('exit', resolve));
  const remove = async () => {
    nginx.kill('SIGTERM');
    await end;
    rmSync(work, { recursive: true, force: true, maxRetries: 3 });
  };
  await listening(port, () => said).catch(async (error) => {
    await remove();
    throw error;
  });
  return {
    ...{ at: `127.0.0.1:${port}`, port, directory, ca },
    requests: () => readFileSync(join(work, 'access.log'), 'utf8').split('\n').filter(Boolean),
    remove,
  };
}

/** Certificate and key of 127.0.0.1 and localhost; gives the authority that signed it. */
function makeAuthority(work: string): string {
  const openssl = (...parameters: readonly string[]) =>
    execFileSync('openssl', parameters, { cwd: work, stdio: ['ignore', 'ignore', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  openssl('req', ...newKey, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost');
  writeFileSync(join(work, 'names'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl(
    ...['x509', '-req', '-in', 'server.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-days', '2', '-extfile', 'names', '-out', 'server.pem'],
  );
  return readFileSync(join(work, 'ca.pem'), 'utf8');
}

function configuration(work: string, directory: string, port: number, scheme: string, config: readonly string[]) {
  const tls = scheme === 'https' ? ['ssl_certificate server.pem;', 'ssl_certificate_key server.key;'] : [];
  const owner = process.getuid?.() === 0 ? ['user root;'] : [];
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `  ${name}_temp_path ${join(work, 'temporary', name)};`,
  );
  return [
    ...owner,
    'daemon off;',
    'worker_processes 1;',
    `pid ${join(work, 'nginx.pid')};`,
    'events {}',
    'http {',
    ...temporary,
    "  log_format short '$request_method $request_uri $status';",
    `  access_log ${join(work, 'access.log')} short;`,
    '  server {',
    `    listen 127.0.0.1:${port}${scheme === 'https' ? ' ssl' : ''};`,
    `    root ${directory};`,
    ...[...tls, ...config].map((line) => `    ${line}`),
    '  }',
    '}',
    '',
  ].join('\n');
}
