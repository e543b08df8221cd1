import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { WorkerOptions } from 'node:worker_threads';

/**
 * Where the module of a worker thread lies, `name` without its ending, beside the module whose `import.meta.url` this is;
 * and the options to start it with. Of the environment it gets PATH alone, to find programs.
 *
 * Compiled, the module is JavaScript. Run from its sources, as tests do, it is TypeScript, which tsx loads: threads do not
 * inherit the loader of the one that starts them.
 */
export function workerModule(url: string, name: string): { readonly url: URL; readonly options: WorkerOptions } {
  const options = { env: { PATH: process.env.PATH } };
  if (!url.endsWith('.ts')) return { url: new URL(`./${name}.js`, url), options };
  const loader = new URL('esm/api/index.mjs', pathToFileURL(createRequire(url).resolve('tsx')));
  const module = new URL(`./${name}.ts`, url);
  const code = `import { register } from '${loader}'; register(); await import('${module}');`;
  return { url: new URL(`data:text/javascript,${encodeURIComponent(code)}`), options };
}
