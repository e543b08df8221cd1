// download-files.js TARGET CA PATH FILES ATONCE: downloads files by https with undici and writes them, nothing else.
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Agent, request } from 'undici';

const [target, ca, path, filesPath, atOnce] = process.argv.slice(2);
const waiting = JSON.parse(readFileSync(filesPath, 'utf8')).entries();
const dispatcher = new Agent({ connect: { ca: readFileSync(ca, 'utf8') } });
const worker = async () => {
  for (const [index, file] of waiting) {
    const { statusCode, body } = await request(`https://${path}/${file}`, { dispatcher });
    if (statusCode !== 200) throw new Error(`${file}: ${statusCode}`);
    await pipeline(body, createWriteStream(join(target, String(index))));
  }
};
await Promise.all(Array.from({ length: Number(atOnce) }, worker));
await dispatcher.close();
