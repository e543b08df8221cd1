import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programPath } from '../../support/requires.ts';

/*
 * Runs inside a private internet, with the founding test's directory as its argument: a forge at github.com, an sshd and
 * an nginx at mysuperbinhost.org, then one person after the other. Whatever was printed lies in `results/`.
 */
const [work, buildit, account] = process.argv.slice(2) as [string, string, string];
const results = join(work, 'results');
mkdirSync(results, { recursive: true });

await startForge();
const sshd = await startSshd();
const nginx = await startNginx();

run('first', ['nginx-prod/', '--discover=github.com/sysadmin42/containers,push=True']);
run('first-again', ['push', 'nginx-prod/']);
run('second', ['nginx-prod/']);
for (const server of [sshd, nginx]) server.kill('SIGTERM');
run('third', ['nginx-prod/']);
process.exit(0);

/** One person's command line, in the directory above the container. */
function run(name: string, argv: readonly string[]): void {
  const person = name.replace(/-.*/, '');
  const home = join(work, person);
  const script = [
    'set +e',
    `cd ${home}`,
    `"$@" > ${results}/${name}.out 2> ${results}/${name}.err`,
    `echo $? > ${results}/${name}.code`,
  ];
  execFileSync('bash', ['-c', script.join('\n'), 'bash', process.execPath, buildit, ...argv], {
    env: {
      PATH: process.env.PATH,
      HOME: home,
      XDG_STATE_HOME: join(home, 'state'),
      BUILDIT_STORE: join(home, 'store'),
      LANG: 'C.UTF-8',
      NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS,
      GIT_SSL_CAINFO: process.env.GIT_SSL_CAINFO,
    },
    stdio: 'inherit',
  });
}

async function startForge(): Promise<void> {
  const forge = fileURLToPath(new URL('../../support/forge.ts', import.meta.url));
  const argv = [join(work, 'repositories'), join(work, 'github.pem'), join(work, 'github.key'), '443'];
  const child = spawn(process.execPath, ['--import', 'tsx', forge, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the forge ended')));
  });
}

async function startSshd(): Promise<ChildProcess> {
  const config = [
    'Port 22',
    'ListenAddress 127.0.0.2',
    `HostKey ${work}/host/key`,
    'PidFile none',
    `AuthorizedKeysFile ${work}/authorized_keys`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'AllowTcpForwarding no',
    'Subsystem sftp internal-sftp',
    `ForceCommand internal-sftp -d ${work}/served`,
    `AllowUsers ${account}`,
    'LogLevel VERBOSE',
  ];
  writeFileSync(join(work, 'sshd_config'), `${config.join('\n')}\n`);
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const child = spawn(programPath('sshd')!, ['-D', '-E', join(work, 'sshd.log'), '-f', join(work, 'sshd_config')]);
  await listening('127.0.0.2', 22);
  return child;
}

async function startNginx(): Promise<ChildProcess> {
  mkdirSync(join(work, 'nginx'), { recursive: true });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${work}/nginx/${name};`,
  );
  const config = `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
pid ${work}/nginx/pid;
events {}
http {
  ${temporary.join('\n  ')}
  log_format short '$request_method $request_uri $status $bytes_sent';
  access_log ${work}/nginx/access.log short;
  server {
    listen 127.0.0.2:443 ssl;
    server_name mysuperbinhost.org;
    ssl_certificate ${work}/binhost.pem;
    ssl_certificate_key ${work}/binhost.key;
    root ${work}/served;
  }
}
`;
  writeFileSync(join(work, 'nginx.conf'), config);
  const child = spawn(programPath('nginx')!, [
    '-p',
    work,
    '-c',
    join(work, 'nginx.conf'),
    '-e',
    join(work, 'nginx/error'),
  ]);
  await listening('127.0.0.2', 443);
  return child;
}

async function listening(address: string, port: number): Promise<void> {
  const hex = (part: string) => Number(part).toString(16).padStart(2, '0').toUpperCase();
  const local = `${address.split('.').reverse().map(hex).join('')}:${port.toString(16).padStart(4, '0').toUpperCase()}`;
  for (let tries = 0; tries < 200; tries += 1) {
    if (readFileSync('/proc/net/tcp', 'utf8').includes(local)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens at ${address}:${port}`);
}
