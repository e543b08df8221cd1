import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A TCP proxy in a process of its own, which goes on while a benchmark waits for a program. */
export interface TcpProxy {
  readonly port: number;
  /** Bytes that passed so far, both ways. */
  bytes(): Promise<number>;
  remove(): Promise<void>;
}

/** What 100 ms of latency are, each way. */
export const DELAY_MS = 50;

export async function startProxy(port: number, delayMs: number = DELAY_MS): Promise<TcpProxy> {
  const program = fileURLToPath(new URL('../programs/delaying-proxy.ts', import.meta.url));
  const child = fork(program, [String(port), String(delayMs)], { execArgv: ['--import', import.meta.resolve('tsx')] });
  const answer = async () => {
    const [found] = (await once(child, 'message')) as [{ readonly port: number; readonly bytes: number }];
    return found;
  };
  const { port: own } = await answer();
  return {
    port: own,
    async bytes() {
      const told = answer();
      child.send('tell');
      return (await told).bytes;
    },
    async remove() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
