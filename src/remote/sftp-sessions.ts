import type { Duplex } from 'node:stream';
import { BuilditError } from '../model/errors.ts';
import { PlaceFault } from './place-files.ts';
import { type SftpClient, startSftp } from './sftp-client.ts';

/** A connection to a host over which SFTP sessions are opened. */
export interface SftpTransport {
  /** Starts the SFTP subsystem once more. */
  openSession(): Promise<Duplex>;
  readonly isLost: boolean;
  /** Each session is a connection of its own, which a person may have to let in. */
  readonly sessionsAtMost?: number;
  /** Why the first session did not come about, where the transport knows more than that it ended. */
  failure?(): Promise<Error | undefined>;
  close(): void;
}

/** The sessions of a place, opened when they are needed. */
export interface SftpSessions {
  /** The session with the least to do, over a connection that is alive. */
  use(): Promise<SftpClient>;
  /** The other sessions over the connection of this one, which are opened for it. */
  beside(client: SftpClient): Promise<readonly SftpClient[]>;
  close(): void;
}

export interface SftpSessionOptions {
  /** Sessions over one connection. Each has a window of its own, and a process of its own at the other side. */
  readonly atMost: number;
  readonly idleMs: number;
}

/** A session with so many unanswered requests is worth another one beside it. */
const BUSY_REQUESTS = 12;

/**
 * Connects at the first use. A first connection that fails is not tried again, so that a place that is down costs one
 * time-out; one that broke later is.
 */
export function createSftpSessions(
  connect: () => Promise<SftpTransport>,
  { atMost, idleMs }: SftpSessionOptions,
): SftpSessions {
  let connection: Promise<Connection> | undefined;
  let everConnected = false;
  let closed = false;

  const connected = async (): Promise<Connection> => {
    const transport = await connect();
    try {
      const first = await startSftp(await transport.openSession(), { idleMs });
      everConnected = true;
      return {
        transport,
        clients: [first],
        opening: undefined,
        atMost: Math.min(atMost, transport.sessionsAtMost ?? atMost),
      };
    } catch (error) {
      const known = await transport.failure?.();
      transport.close();
      throw known ?? error;
    }
  };
  const current = async (): Promise<Connection> => {
    if (closed) throw new TypeError('The place is closed already');
    connection ??= connected();
    const mine = connection;
    try {
      const found = await mine;
      if (!found.transport.isLost && found.clients.some((client) => !client.isLost)) return found;
      found.transport.close();
    } catch (error) {
      if (!everConnected) throw error;
      if (connection === mine) connection = undefined;
      const isGone = error instanceof BuilditError && error.code === 'unreachable';
      throw isGone ? new PlaceFault('lost', error.message, error) : error;
    }
    if (connection === mine) connection = undefined;
    return current();
  };

  return {
    async use() {
      const found = await current();
      const [best] = found.clients
        .filter((client) => !client.isLost)
        .toSorted((one, other) => one.pending - other.pending);
      if (best === undefined) throw new PlaceFault('lost', 'a connection closed by the other side');
      if (best.pending >= BUSY_REQUESTS) openAnother(found, idleMs);
      return best;
    },
    async beside(client) {
      const found = await connection;
      if (found === undefined || !found.clients.includes(client)) return [];
      await openAll(found, idleMs);
      return found.clients.filter((other) => other !== client && !other.isLost);
    },
    close() {
      closed = true;
      connection?.then(
        ({ transport, clients }) => {
          for (const client of clients) client.end();
          transport.close();
        },
        () => {},
      );
    },
  };
}

interface Connection {
  readonly transport: SftpTransport;
  readonly clients: SftpClient[];
  opening: Promise<void> | undefined;
  atMost: number;
}

/** A server that refuses another session is asked no more. */
function openAnother(connection: Connection, idleMs: number): Promise<void> {
  if (connection.clients.length >= connection.atMost) return Promise.resolve();
  connection.opening ??= connection.transport
    .openSession()
    .then((stream) => startSftp(stream, { idleMs }))
    .then(
      (client) => {
        connection.clients.push(client);
      },
      () => {
        connection.atMost = connection.clients.length;
      },
    )
    .finally(() => {
      connection.opening = undefined;
    });
  return connection.opening;
}

async function openAll(connection: Connection, idleMs: number): Promise<void> {
  while (connection.clients.length < connection.atMost) await openAnother(connection, idleMs);
}
