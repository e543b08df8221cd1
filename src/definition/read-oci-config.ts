import { mapAt, scalarAt, scalarsAt } from '../document/fields.ts';
import type { YamlMap } from '../document/yaml-node.ts';
import type { OciConfig } from '../model/container.ts';
import { acceptImagePath, acceptText, refuseText, type Text, type TextCheck } from './checked-text.ts';
import { type ContainerReading, renderedText } from './container-reading.ts';
import { parseStopSignal } from './stop-signal.ts';

const USER = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/;
const PORT = /^[1-9][0-9]{0,4}(?:\/(?:tcp|udp|sctp))?$/;
/** Engines refuse to run as a higher number: 2^31-1. */
const LARGEST_USER_NUMBER = 2_147_483_647;

/** How an OCI image is run: `config` of an image step. What is not said is left out. */
export function readOciConfig(map: YamlMap | undefined, reading: ContainerReading): OciConfig {
  if (map === undefined) return {};
  const fields: { -readonly [Key in keyof OciConfig]: OciConfig[Key] } = {};
  const check = (key: string): TextCheck => ({ label: `image.config.${key}`, problems: reading.problems });
  const text = (key: string) => renderedText(reading, scalarAt(map, key));
  const list = (key: string, accept: (text: Text) => string | undefined): readonly string[] =>
    scalarsAt(map, key).flatMap((node) => {
      const rendered = renderedText(reading, node);
      return rendered === undefined ? [] : (accept(rendered) ?? []);
    });
  for (const { name } of map.members) {
    switch (name) {
      case 'entrypoint':
      case 'cmd':
        fields[name] = list(name, (word) => acceptText(word, 'a text without NUL', isWord, check(name)));
        refuseEmptyProgram(map, name, fields[name], reading);
        break;
      case 'user':
        set('user', acceptText(text(name), 'user or user:group', isUser, check(name)));
        break;
      case 'working-directory':
        set('workingDirectory', acceptImagePath(text(name), check(name), { root: true }));
        break;
      case 'stop-signal':
        set('stopSignal', acceptSignal(text(name), check(name)));
        break;
      case 'ports':
        fields.ports = list(name, (port) => acceptText(port, 'a port such as 80/tcp', isPort, check(name)));
        break;
      case 'volumes':
        fields.volumes = list(name, (path) => acceptImagePath(path, check(name)));
        break;
      case 'environment':
      case 'labels':
        fields[name] = readTexts(mapAt(map, name), reading, check(name));
        break;
      default:
    }
  }
  return fields;

  function set(key: 'user' | 'workingDirectory' | 'stopSignal', value: string | undefined): void {
    if (value !== undefined) fields[key] = value;
  }
}

function acceptSignal(text: Text | undefined, check: TextCheck): string | undefined {
  if (text === undefined) return undefined;
  const signal = parseStopSignal(text.text);
  if (signal.kind === 'signal') return signal.text;
  return refuseText(text, 'a signal such as SIGQUIT', check, signal.hint);
}

/** Words and variables reach the program as C strings. */
function isWord(text: string): boolean {
  return !text.includes('\0');
}

/** Engines take an empty entrypoint for none; a program without a name starts nowhere. */
function refuseEmptyProgram(
  map: YamlMap,
  key: 'entrypoint' | 'cmd',
  words: readonly string[] | undefined,
  { problems }: ContainerReading,
): void {
  const [node] = scalarsAt(map, key);
  const isProgram = key === 'entrypoint' || scalarsAt(map, 'entrypoint').length === 0;
  if (!isProgram || node === undefined || words?.[0] !== '') return;
  refuseText({ node, text: '' }, 'a program to start', { label: `image.config.${key}`, problems });
}

function isUser(text: string): boolean {
  const parts = text.split(':');
  return USER.test(text) && parts.every((part) => !/^[0-9]+$/.test(part) || Number(part) <= LARGEST_USER_NUMBER);
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number.parseInt(text, 10) <= 65_535;
}

/** A mapping of texts, rendered, sorted by key. */
export function readTexts(
  map: YamlMap | undefined,
  reading: ContainerReading,
  check: TextCheck,
): Readonly<Record<string, string>> {
  const texts = (map?.members ?? []).flatMap(({ name, value }): [string, string][] => {
    const rendered = value.kind === 'scalar' ? renderedText(reading, value) : undefined;
    const text = acceptText(rendered, 'a text without NUL', isWord, check);
    return text === undefined ? [] : [[name, text]];
  });
  return Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}
