import { connect } from 'node:net';

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const WAIT_MS = 3000;
/** OpenSSH's own limit of a message of an agent. */
const LONGEST_ANSWER = 256 << 10;

/**
 * The types of all keys that an agent has, `ssh-ed25519-cert-v01@openssh.com` and `sk-…` among them, which ssh2 drops
 * (draft-miller-ssh-agent, section 4.4). None where no agent answers in time.
 */
export function agentKeyTypes(socketPath: string): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(socketPath);
    const end = () => {
      socket.destroy();
      resolve(keyTypesIn(Buffer.concat(chunks)));
    };
    socket.setTimeout(WAIT_MS, end);
    socket.on('error', end).on('end', end);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      const isWhole = bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE();
      if (isWhole || bytes.length > LONGEST_ANSWER) end();
    });
    socket.write(Buffer.from([0, 0, 0, 1, REQUEST_IDENTITIES]));
  });
}

/** The answer: its length, its type, the number of keys, and of each its blob and its comment. */
function keyTypesIn(answer: Buffer): readonly string[] {
  const types: string[] = [];
  if (answer.length < 9 || answer[4] !== IDENTITIES_ANSWER) return types;
  let position = 9;
  const next = (): Buffer | undefined => {
    const start = position + 4;
    if (start > answer.length) return undefined;
    position = start + answer.readUInt32BE(start - 4);
    return position > answer.length ? undefined : answer.subarray(start, position);
  };
  for (let blob = next(); blob !== undefined; blob = next()) {
    next();
    const length = blob.length < 4 ? 0 : blob.readUInt32BE();
    if (length > 0 && length <= blob.length - 4) types.push(blob.toString('latin1', 4, 4 + length));
  }
  return types;
}
