import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { downloadBytes } from '../../src/system/http.ts';

/** The throw-away certificate of an example: for localhost and 127.0.0.1, signed by itself. */
const certificate = fileURLToPath(
  new URL('../../examples/nginx-prod/files/throw-away-certificate/certificate.pem', import.meta.url),
);
const key = certificate.replace('certificate.pem', 'key.pem');
const http = new URL('../../src/system/http.ts', import.meta.url).href;

async function serve(): Promise<string> {
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
    if (request.url === '/down') response.writeHead(302, { location: 'http://127.0.0.1:1/file' }).end();
    else response.end('over TLS');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What `downloadBytes` gives in a process of its own, which is started with the certificate as a further authority. */
async function downloadTrusting(url: string): Promise<{ text?: string; message?: string }> {
  const script = `
    import { downloadBytes } from ${JSON.stringify(http)};
    const said = await downloadBytes(${JSON.stringify(url)}, { maximumBytes: 1000, retries: 0 }).then(
      (bytes) => ({ text: bytes.toString() }), (error) => ({ message: error.message }));
    process.stdout.write(JSON.stringify(said));`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    env: { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: certificate },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  return JSON.parse(output);
}

test('an unknown certificate is refused, with the way to trust it', async () => {
  await expect(downloadBytes(`${await serve()}/file`, { maximumBytes: 1000 })).rejects.toMatchObject({
    code: 'unreachable',
    tries: 1,
    hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  });
});

test('NODE_EXTRA_CA_CERTS adds an authority', async () => {
  expect(await downloadTrusting(`${await serve()}/file`)).toEqual({ text: 'over TLS' });
});

test('a redirect from https to http is refused', async () => {
  const { message } = await downloadTrusting(`${await serve()}/down`);
  expect(message).toContain('a redirect to http://127.0.0.1:1/file, which is not https');
});
