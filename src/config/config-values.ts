import { availableParallelism } from 'node:os';
import { printable } from '../model/names.ts';
import { withoutTrailing } from '../model/without-trailing.ts';

/** `auto` is one job for each processor this process may run on. */
export function parseJobs(text: string): number | undefined {
  if (text === 'auto') return availableParallelism();
  return /^[1-9][0-9]{0,3}$/.test(text) && Number(text) <= 1024 ? Number(text) : undefined;
}

/** A mirror may be reached by http: what comes from it is checked against the archive's signed index. */
export function parseMirror(text: string): string | undefined {
  if (!URL.canParse(text) || /\s/.test(text) || printable(text) !== text) return undefined;
  const { protocol, username, password, search, hash } = new URL(text);
  if (!['https:', 'http:', 'file:'].includes(protocol) || !/^(?:https?:\/\/[^/]|file:\/\/\/)/.test(text))
    return undefined;
  return username === '' && password === '' && search === '' && hash === '' ? withoutTrailing(text, '/') : undefined;
}

/** What comes from a registry is checked against a digest: it may be reached by http, as a mirror may. */
export function parseRegistry(text: string): string | undefined {
  const url = parseMirror(text.replace(/^sparse\+/, ''));
  return url?.startsWith('file:') ? undefined : url;
}

export function parseBoolean(text: string): boolean | undefined {
  if (/^(?:1|true|yes|on)$/i.test(text)) return true;
  return /^(?:0|false|no|off)$/i.test(text) ? false : undefined;
}
