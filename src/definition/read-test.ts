import { mapAt, scalarAt, scalarsAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import { memberOf, nodeAt, positionOf, type YamlMap, type YamlScalar } from '../document/yaml-node.ts';
import { printable } from '../model/names.ts';
import type { ServerCheck, TestAction, TestDefinition } from '../model/test-definition.ts';
import { refuseText, type Text } from './checked-text.ts';

/** How the texts of a test are read: with the templates of their file replaced. */
export interface TestReading {
  readonly problems: Problems;
  rendered(node: YamlScalar | undefined): Text | undefined;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const LONGEST_TIMEOUT_MS = 3_600_000;

/** Reads one entry of `test`; nothing when it is wrong, which was complained about. */
export function readTest(map: YamlMap, reading: TestReading): TestDefinition | undefined {
  const fields = createFields(map, reading);
  const action = readAction(fields);
  const exitCode = fields.number('exit', 0, 255) ?? 0;
  const timeoutMs = readTimeout(fields) ?? DEFAULT_TIMEOUT_MS;
  const environment = readEnvironment(fields);
  if (action === undefined) return undefined;
  return {
    name: fields.text('name')?.text ?? actionName(action),
    action,
    stdout: fields.text('stdout')?.text,
    stderr: fields.text('stderr')?.text,
    exitCode,
    stdin: fields.text('stdin')?.text,
    environment,
    timeoutMs,
    position: positionOf(map),
  };
}

interface TestFields {
  readonly map: YamlMap;
  readonly reading: TestReading;
  text(key: string): Text | undefined;
  words(key: string): readonly Text[];
  number(key: string, minimum: number, maximum: number): number | undefined;
  refuse(message: string, hint?: string): undefined;
}

function createFields(map: YamlMap, reading: TestReading): TestFields {
  return {
    map,
    reading,
    text: (key) => reading.rendered(scalarAt(map, key)),
    words: (key) => scalarsAt(map, key).flatMap((node) => reading.rendered(node) ?? []),
    number: (key, minimum, maximum) =>
      readNumber(reading.rendered(scalarAt(map, key)), key, [minimum, maximum], reading),
    refuse(message, hint) {
      reading.problems.add(map, `Cannot read the test: ${message}`, { hint });
      return undefined;
    },
  };
}

const ACTIONS = ['run', 'script', 'start'] as const;

function readAction(fields: TestFields): TestAction | undefined {
  const { map, refuse } = fields;
  const given = ACTIONS.filter((key) => memberOf(map, key) !== undefined);
  if (given.length !== 1) {
    return refuse(`expected one of run, script and start, found ${given.length === 0 ? 'none' : given.join(' and ')}`);
  }
  const checks = ['http', 'tcp'].filter((key) => memberOf(map, key) !== undefined);
  if (given[0] !== 'start') {
    if (checks.length > 0) return refuse(`expected "start" beside "${checks[0]}", found "${given[0]}"`);
    return given[0] === 'run' ? readRun(fields) : readScript(fields);
  }
  if (checks.length !== 1) {
    return refuse(
      `expected "start" with one of http and tcp, found ${checks.length === 0 ? 'neither' : 'both'}`,
      'what ends by itself is tried with "run"',
    );
  }
  const misplaced = ['stdout', 'stderr', 'exit'].find((key) => memberOf(map, key) !== undefined);
  if (misplaced !== undefined) return refuse(`expected no "${misplaced}" beside "start", whose program does not end`);
  const command = readCommand(fields, 'start');
  const check = checks[0] === 'http' ? readHttp(fields) : readTcp(fields);
  return command && check && { kind: 'start', command, check };
}

function readRun(fields: TestFields): TestAction | undefined {
  const command = readCommand(fields, 'run');
  return command && { kind: 'run', command };
}

function readScript(fields: TestFields): TestAction | undefined {
  const script = fields.text('script');
  if (script === undefined) return undefined;
  if (script.text.trim() !== '' && !script.text.includes('\0')) return { kind: 'script', script: script.text };
  return refuseText(script, 'lines for a shell', { label: 'test.script', problems: fields.reading.problems });
}

/** The program is found by a path in the root, or by PATH; what `env` would take for something else is refused. */
function readCommand({ words, map, reading }: TestFields, key: string): readonly string[] | undefined {
  const texts = words(key);
  const [program] = texts;
  // A word that is missing was complained about.
  if (program === undefined || texts.length !== scalarsAt(map, key).length) return undefined;
  const check = { label: `test.${key}`, problems: reading.problems };
  const wrong = texts.find(({ text }) => text.includes('\0'));
  if (wrong !== undefined) return refuseText(wrong, 'arguments without NUL', check);
  if (/^[^-=][^=]*$/.test(program.text)) return texts.map(({ text }) => text);
  return refuseText(program, 'a program such as /usr/bin/hello', check);
}

function readHttp({ map, reading }: TestFields): ServerCheck | undefined {
  const http = mapAt(map, 'http');
  const url = reading.rendered(scalarAt(http, 'url'));
  const status = readNumber(reading.rendered(scalarAt(http, 'status')), 'http.status', [100, 599], reading) ?? 200;
  const body = reading.rendered(scalarAt(http, 'body'))?.text;
  if (url === undefined) return undefined;
  const parsed = URL.canParse(url.text) ? new URL(url.text) : undefined;
  const isWeb = parsed?.protocol === 'http:' || parsed?.protocol === 'https:';
  const isPlain = parsed?.username === '' && parsed.password === '' && parsed.hash === '';
  if (parsed !== undefined && isWeb && isPlain && isLoopback(parsed.hostname) && printable(url.text) === url.text) {
    return { kind: 'http', url: parsed.href, status, body };
  }
  const expected = 'an address on the loopback such as http://127.0.0.1:8080/';
  return refuseText(url, expected, { label: 'test.http.url', problems: reading.problems }, NO_NETWORK);
}

const NO_NETWORK = 'a test has no network but its own loopback: 127.0.0.1, [::1] or localhost';

function readTcp({ text, reading }: TestFields): ServerCheck | undefined {
  const written = text('tcp');
  if (written === undefined) return undefined;
  const { host = '127.0.0.1', digits = '' } =
    /^(?:(?<host>[^\s]+):)?(?<digits>[1-9][0-9]{0,4})$/.exec(written.text)?.groups ?? {};
  const port = Number(digits);
  if (port >= 1 && port <= 65535 && isLoopback(host)) {
    return { kind: 'tcp', host: host.replace(/^\[(.*)\]$/, '$1'), port };
  }
  const check = { label: 'test.tcp', problems: reading.problems };
  return refuseText(
    written,
    'a port, or an address on the loopback and a port such as 127.0.0.1:6379',
    check,
    NO_NETWORK,
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

function readTimeout({ text, reading }: TestFields): number | undefined {
  const written = text('timeout');
  if (written === undefined) return undefined;
  const [, digits, unit = 's'] = /^([0-9]{1,5})\s*([smh])?$/.exec(written.text) ?? [];
  const timeoutMs = digits === undefined ? 0 : Number(digits) * SECONDS[unit]! * 1000;
  if (timeoutMs > 0 && timeoutMs <= LONGEST_TIMEOUT_MS) return timeoutMs;
  const check = { label: 'test.timeout', problems: reading.problems };
  return refuseText(written, 'a time of up to an hour such as 90s or 5m', check);
}

function readEnvironment({ map, reading }: TestFields): Readonly<Record<string, string>> {
  const environment: Record<string, string> = Object.create(null);
  const given = nodeAt(map, 'environment');
  if (given?.kind !== 'map') return {};
  for (const { key, name, value } of given.members) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      if (!name.startsWith('x-')) {
        reading.problems.expected(key, 'test.environment', 'a name of letters, digits and _');
      }
      continue;
    }
    const text = value.kind === 'scalar' ? reading.rendered(value) : undefined;
    if (text === undefined) continue;
    if (text.text.includes('\0')) {
      refuseText(text, 'a value without NUL', { label: 'test.environment', problems: reading.problems });
    } else environment[name] = text.text;
  }
  return { ...environment };
}

function readNumber(
  text: Text | undefined,
  key: string,
  [minimum, maximum]: readonly [number, number],
  { problems }: TestReading,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^(?:0|[1-9][0-9]{0,4})$/.test(text.text) ? Number(text.text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  return refuseText(text, `a number from ${minimum} to ${maximum}`, { label: `test.${key}`, problems });
}

function actionName(action: TestAction): string {
  if (action.kind === 'script') return action.script.trim().split('\n')[0]!;
  return action.command.join(' ');
}
