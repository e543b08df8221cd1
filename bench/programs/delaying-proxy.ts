// delaying-proxy.ts PORT MILLISECONDS: a delaying proxy in a process of its own, which answers every message with what
// passed so far.
import { launchDelayingProxy } from '../../test/support/delaying-proxy.ts';

const [port, delayMs] = process.argv.slice(2);
const proxy = await launchDelayingProxy(Number(port), Number(delayMs));
const tell = () => process.send!({ port: proxy.port, bytes: proxy.sent + proxy.received });
process.on('message', tell);
process.on('disconnect', () => process.exit());
tell();
