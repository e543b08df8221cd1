import { printable } from '../model/names.ts';

const HOST = '(?!-)[A-Za-z0-9-]{1,63}(?:\\.(?!-)[A-Za-z0-9-]{1,63})*|\\[[0-9A-Fa-f:.]{2,45}\\]';
const USER = '[A-Za-z_][A-Za-z0-9._-]{0,63}';
/** `user@host[:port]/path`, `ssh://user@host[:port]/path` and `user@host:path`. None of the parts can be an option. */
const SSH_LOCATION = new RegExp(`^(?:ssh://)?(?:${USER}@)?(?:${HOST})(?::[0-9]{1,5}(?=/))?(?:[/:](?!-).*)?$`);
const WEB_LOCATION = new RegExp(`^(?:${HOST})(?::[0-9]{1,5})?(?:/[^?#\\s]*)?$`);

/** Tells whether a text can be where a binhost of that type is written to or read from. */
export function isBinhostLocation(type: 'ssh' | 'file' | 'https' | 'http', text: string): boolean {
  if (text === '' || text.length > 1000 || /\s/.test(text) || printable(text) !== text) return false;
  switch (type) {
    case 'ssh':
      return SSH_LOCATION.test(text);
    case 'https':
    case 'http':
      return WEB_LOCATION.test(text);
    case 'file':
      return !text.startsWith('-');
  }
}
