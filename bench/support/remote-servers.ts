import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchSshd, serverAccount } from '../../test/support/sshd.ts';
import { launchStaticServer } from '../../test/support/static-server.ts';
import { type Place, removeTree } from './place.ts';
import { DELAY_MS, startProxy, type TcpProxy } from './proxy.ts';

/** A real sshd behind a delaying proxy, that serves a directory of the place by SFTP. */
export interface SshServer {
  readonly proxy: TcpProxy;
  /** `user@127.0.0.1:PORT` of the proxy. */
  readonly at: string;
  /** A home directory with a key that is let in. */
  readonly home: string;
  /** The command of `scp` that copies files to a directory below the one that is served. */
  scp(files: readonly string[], directory: string): readonly string[];
  /** An empty directory of that name below the one that is served, in which the server's user may write. */
  emptyDirectory(name: string): string;
  /** Puts a directory there that is full already: its files become the server's user's. */
  adopt(name: string): string;
  remove(): Promise<void>;
}

export async function startSshServer(place: Place, name: string): Promise<SshServer> {
  const served = place.path(name);
  const account = serverAccount();
  mkdirSync(served, { recursive: true });
  const home = place.path(`${name}-home`);
  removeTree(home);
  const sshd = await launchSshd({ directory: served, home });
  const proxy = await startProxy(sshd.port);
  const knownHosts = join(home, '.ssh/known_hosts');
  writeFileSync(knownHosts, `[127.0.0.1]:${proxy.port} ${sshd.hostKey}\n`, { flag: 'a' });
  return {
    proxy,
    at: `${account.name}@127.0.0.1:${proxy.port}`,
    home,
    scp: (files, directory) => [
      'scp',
      ...['-q', '-r', '-P', String(proxy.port), '-i', join(home, '.ssh/id_ed25519'), '-F', 'none'],
      ...['-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', `UserKnownHostsFile=${knownHosts}`],
      ...files,
      `${account.name}@127.0.0.1:${directory}/`,
    ],
    emptyDirectory(directory) {
      const path = join(served, directory);
      removeTree(path);
      mkdirSync(path);
      chownSync(path, account.uid, account.gid);
      return path;
    },
    adopt(directory) {
      const path = join(served, directory);
      for (const file of [path, ...below(path)]) chownSync(file, account.uid, account.gid);
      return path;
    },
    async remove() {
      await proxy.remove();
      await sshd.remove();
    },
  };
}

function below(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path));
}

/** A real nginx with https, behind a delaying proxy and behind one that does not delay. */
export interface WebServer {
  /** `127.0.0.1:PORT` of the delaying proxy. */
  readonly delayed: string;
  /** The same without a delay. */
  readonly direct: string;
  /** File with the certificate of the only authority to trust. */
  readonly ca: string;
  /** Requests so far. */
  requests(): number;
  remove(): Promise<void>;
}

export async function startWebServer(place: Place, directory: string, delayMs: number = DELAY_MS): Promise<WebServer> {
  chmodSync(directory, 0o755);
  // What Debian's own configuration says; nginx 1.22 by itself stops at 1.2, which takes one round trip more.
  const server = await launchStaticServer(directory, { config: ['ssl_protocols TLSv1.2 TLSv1.3;'] });
  const proxies = await Promise.all([startProxy(server.port, delayMs), startProxy(server.port, 0)]);
  const ca = place.path('authority.pem');
  writeFileSync(ca, server.ca);
  return {
    delayed: `127.0.0.1:${proxies[0].port}`,
    direct: `127.0.0.1:${proxies[1].port}`,
    ca,
    requests: () => server.requests().length,
    async remove() {
      await Promise.all(proxies.map((proxy) => proxy.remove()));
      await server.remove();
    },
  };
}
