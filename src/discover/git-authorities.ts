import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/**
 * PEM text of the authorities that git trusts, or undefined for the system's: the same as for all other downloads. A
 * file that the user names for git alone (GIT_SSL_CAINFO) stands for itself; NODE_EXTRA_CA_CERTS is added to
 * SSL_CERT_FILE, else to the authorities that come with Node.
 */
export function gitAuthorities(environment: NodeJS.ProcessEnv): string | undefined {
  const { GIT_SSL_CAINFO, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS } = environment;
  if (GIT_SSL_CAINFO) return read('GIT_SSL_CAINFO', GIT_SSL_CAINFO);
  if (!SSL_CERT_FILE && !NODE_EXTRA_CA_CERTS) return undefined;
  const usual = SSL_CERT_FILE ? read('SSL_CERT_FILE', SSL_CERT_FILE) : rootCertificates.join('\n');
  return NODE_EXTRA_CA_CERTS ? `${usual}\n${read('NODE_EXTRA_CA_CERTS', NODE_EXTRA_CA_CERTS)}` : usual;
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `Cannot read "${printable(path)}": expected certificates, because ${variable} names them, found none`;
    throw new BuilditError('configuration-invalid', message, { cause });
  }
}
