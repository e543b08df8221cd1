import { type AddressInfo, connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface DelayingProxy {
  readonly port: number;
  /** Bytes that went from clients to the server. */
  readonly sent: number;
  /** Bytes that came back from it. */
  readonly received: number;
  /** Connections taken so far. */
  readonly connections: number;
  /**
   * Breaks every connection after so many further bytes from clients. With `delivered` the server still gets them, and only
   * its answer is lost.
   */
  cutAfter(bytes: number, options?: { readonly delivered?: boolean }): void;
  /** From now on nothing passes, and nobody is told. */
  stall(): void;
  /** Breaks every connection and takes no more. */
  close(): void;
}

/** A delaying proxy that is gone with the test. */
export async function startDelayingProxy(port: number, delayMs: number): Promise<DelayingProxy> {
  const proxy = await launchDelayingProxy(port, delayMs);
  onTestFinished(proxy.close);
  return proxy;
}

/** A TCP proxy before a port of this machine that holds every byte back for `delayMs`, each way. */
export async function launchDelayingProxy(port: number, delayMs: number): Promise<DelayingProxy> {
  const sockets = new Set<Socket>();
  const state = {
    sent: 0,
    received: 0,
    connections: 0,
    cutAt: Number.POSITIVE_INFINITY,
    stalled: false,
    delivered: false,
  };
  const cut = () => {
    state.cutAt = Number.POSITIVE_INFINITY;
    for (const socket of sockets) socket.destroy();
  };
  const deliverLast = (client: Socket, upstream: Socket) => {
    state.cutAt = Number.POSITIVE_INFINITY;
    // What was read just now is passed on first.
    setTimeout(() => client.destroy(), delayMs);
    upstream.removeAllListeners('data').resume();
  };
  const server: Server = createServer((client) => {
    state.connections += 1;
    const upstream = connectTo(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.end();
        if (!state.delivered) upstream.destroy();
      });
    }
    delay(client, upstream, delayMs, state, (length) => {
      state.sent += length;
      if (state.sent < state.cutAt) return;
      if (state.delivered) deliverLast(client, upstream);
      else cut();
    });
    delay(upstream, client, delayMs, state, (length) => {
      state.received += length;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get sent() {
      return state.sent;
    },
    get received() {
      return state.received;
    },
    get connections() {
      return state.connections;
    },
    cutAfter: (bytes, { delivered = false } = {}) => {
      state.delivered = delivered;
      state.cutAt = state.sent + bytes;
    },
    stall: () => {
      state.stalled = true;
    },
    close: () => {
      cut();
      server.close();
    },
  };
}

function delay(
  from: Socket,
  to: Socket,
  delayMs: number,
  state: { readonly stalled: boolean },
  onBytes: (length: number) => void,
): void {
  const pass = (chunk: Buffer) => {
    if (!to.destroyed && to.writable && !state.stalled) to.write(chunk);
  };
  from.on('data', (chunk) => {
    onBytes(chunk.length);
    if (delayMs === 0) pass(chunk);
    else setTimeout(pass, delayMs, chunk);
  });
  from.on('end', () => setTimeout(() => to.end(), delayMs));
}
