import { mapAt, scalarAt, scalarsAt } from '../document/fields.ts';
import type { YamlMap } from '../document/yaml-node.ts';
import type { OciConfig } from '../model/container.ts';
import { acceptImagePath, acceptText, type Text, type TextCheck } from './checked-text.ts';
import { type ContainerReading, renderedText } from './container-reading.ts';

const USER = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/;
const PORT = /^[1-9][0-9]{0,4}(?:\/(?:tcp|udp|sctp))?$/;
const SIGNAL = /^(?:SIG[A-Z0-9+-]{1,12}|[1-9][0-9]?)$/;

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
        fields[name] = list(name, (word) => word.text);
        break;
      case 'user':
        set(
          'user',
          acceptText(text(name), 'user or user:group', (user) => USER.test(user), check(name)),
        );
        break;
      case 'working-directory':
        set('workingDirectory', acceptImagePath(text(name), check(name), { root: true }));
        break;
      case 'stop-signal':
        set(
          'stopSignal',
          acceptText(text(name), 'a signal such as SIGQUIT', (signal) => SIGNAL.test(signal), check(name)),
        );
        break;
      case 'ports':
        fields.ports = list(name, (port) => acceptText(port, 'a port such as 80/tcp', isPort, check(name)));
        break;
      case 'volumes':
        fields.volumes = list(name, (path) => acceptImagePath(path, check(name)));
        break;
      case 'environment':
      case 'labels':
        fields[name] = readTexts(mapAt(map, name), reading);
        break;
      default:
    }
  }
  return fields;

  function set(key: 'user' | 'workingDirectory' | 'stopSignal', value: string | undefined): void {
    if (value !== undefined) fields[key] = value;
  }
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number.parseInt(text, 10) <= 65_535;
}

/** A mapping of texts, rendered, sorted by key. */
export function readTexts(map: YamlMap | undefined, reading: ContainerReading): Readonly<Record<string, string>> {
  const texts = (map?.members ?? []).flatMap(({ name, value }): [string, string][] => {
    const text = value.kind === 'scalar' ? renderedText(reading, value) : undefined;
    return text === undefined ? [] : [[name, text.text]];
  });
  return Object.fromEntries(texts.sort(([a], [b]) => (a < b ? -1 : 1)));
}
