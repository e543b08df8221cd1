import { printable } from '../model/names.ts';

/** What a person types behind `ssh` or `ssh-keyscan` to reach a host, for hints: `-p 2222 'user name@host'`. */
export function sshArguments({ user, named, port }: SshTarget): string {
  const target = printable(user === undefined ? named : `${user}@${named}`);
  const quoted = /^[\w@%+:.,-]+$/.test(target) ? target : `'${target.replaceAll("'", "'\\''")}'`;
  return port === undefined || port === 22 ? quoted : `-p ${port} ${quoted}`;
}

export interface SshTarget {
  readonly user?: string | undefined;
  /** The host as the user names it; an alias of `~/.ssh/config` has its port and user there. */
  readonly named: string;
  readonly port?: number | undefined;
}
