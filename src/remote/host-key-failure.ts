import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type HostKeyVerdict, keyFingerprint, keyTypeOf } from './known-hosts.ts';
import { sshArguments } from './ssh-arguments.ts';

export interface ShownHostKey {
  /** As in known_hosts: `host` or `[host]:port`. */
  readonly name: string;
  /** As the user names the host. */
  readonly named: string;
  readonly port: number;
  readonly key: Buffer;
  /** The file that a new line would go to. */
  readonly knownHostsFile: string | undefined;
}

/** Why a host is not talked to; undefined for a known key. */
export function hostKeyFailure(
  verdict: HostKeyVerdict,
  { name, named, port, key, knownHostsFile = '~/.ssh/known_hosts' }: ShownHostKey,
): BuilditError | undefined {
  const shown = `${keyTypeOf(key)} ${keyFingerprint(key)}`;
  const toolArguments = sshArguments({ named, port });
  const refused = (expected: string, found: string, hint: string) =>
    new BuilditError(
      'authentication-failed',
      `Cannot connect to "${printable(name)}": expected ${expected}, found ${found}`,
      { hint },
    );
  switch (verdict.kind) {
    case 'known':
      return undefined;
    case 'unknown':
      return refused(
        'a host key that known_hosts has',
        `the unknown key ${shown}${verdict.authority === undefined ? '' : ' and no plain line beside that of the certificate authority'}`,
        `compare the fingerprint with what the host's administrator tells you, then connect once with "ssh ${toolArguments}" ` +
          `or add the line of "ssh-keyscan ${toolArguments}" to ${knownHostsFile}`,
      );
    case 'changed':
      return refused(
        `the host key of ${verdict.known.file}:${verdict.known.line} (${verdict.known.keyType} ${keyFingerprint(verdict.known.key)})`,
        `another one, ${shown}`,
        'someone may be between you and the host, or it was set up anew: ask its administrator for the fingerprint; ' +
          `only then remove the old line with "ssh-keygen -R '${name}' -f ${verdict.known.file}"`,
      );
    case 'revoked':
      return refused(
        'a host key that is not revoked',
        `${shown}, which ${verdict.known.file}:${verdict.known.line} revokes`,
        'the host must get a new key; ask its administrator',
      );
  }
}
