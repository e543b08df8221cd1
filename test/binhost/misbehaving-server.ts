import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** What a server does with a request; false where it is to answer as an honest one. */
export type Misbehaviour = (path: string, response: ServerResponse, request: IncomingMessage) => boolean | undefined;

export interface MisbehavingServer {
  /** `127.0.0.1:PORT`. */
  readonly at: string;
  readonly requests: string[];
  misbehave: Misbehaviour;
}

/** A web server that shows a directory, and does with some requests what no honest one would do. */
export async function startMisbehavingServer(directory: string): Promise<MisbehavingServer> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    state.requests.push(path);
    if (state.misbehave(path, response, request) !== true) answerHonestly(join(directory, path), response);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const end = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await end;
  });
  const { port } = server.address() as AddressInfo;
  const state: MisbehavingServer = { at: `127.0.0.1:${port}`, requests: [], misbehave: () => false };
  return state;
}

function answerHonestly(path: string, response: ServerResponse): void {
  if (!existsSync(path) || !statSync(path).isFile()) {
    response.writeHead(404).end('not there');
    return;
  }
  response.writeHead(200, { 'content-length': statSync(path).size });
  createReadStream(path).pipe(response);
}
