import type { JsonValue } from '../model/canonical-json.ts';
import { AC_IDENTIFIER, AC_NAME, type AciChecker } from './aci-checker.ts';

export interface AciUsers {
  hasUser(text: string): boolean;
  hasGroup(text: string): boolean;
}

/** Checks the `app` of an image manifest. */
export function checkAciApp(checker: AciChecker, value: JsonValue, users: AciUsers): void {
  const app = checker.object('/app', value, {
    required: ['user', 'group', ...(checker.isBefore('0.7.2') ? ['exec'] : [])],
    optional: [
      'exec',
      'eventHandlers',
      'workingDirectory',
      'environment',
      'isolators',
      'mountPoints',
      'ports',
      // The text of 0.7.0 and its code disagreed about the name; 0.7.1 settled it.
      ...(checker.isBefore('0.7.1') ? [] : ['supplementaryGIDs']),
      ...(checker.isBefore('0.8.8') ? [] : ['userAnnotations', 'userLabels']),
    ],
  });
  if (app.exec !== undefined) checkExec(checker, '/app/exec', app.exec);
  checkOwner(checker, 'user', app.user, users.hasUser);
  checkOwner(checker, 'group', app.group, users.hasGroup);
  if (app.workingDirectory !== undefined) {
    checker.matching('/app/workingDirectory', app.workingDirectory, /^\//, 'an absolute path');
  }
  checker.list('/app/supplementaryGIDs', app.supplementaryGIDs).forEach((gid, index) => {
    checker.integer(`/app/supplementaryGIDs/${index}`, gid, 0, 2 ** 32 - 1);
  });
  checker.namedValues('/app/environment', app.environment, /^[A-Za-z_][A-Za-z0-9_]*$/);
  checkEventHandlers(checker, app.eventHandlers);
  checkIsolators(checker, app.isolators);
  checkMountPoints(checker, app.mountPoints);
  checkPorts(checker, app.ports);
}

/** Until 0.7.2 the command had to be there, with an absolute path. */
function checkExec(checker: AciChecker, pointer: string, value: JsonValue): void {
  const words = checker.list(pointer, value);
  words.forEach((word, index) => {
    checker.text(`${pointer}/${index}`, word);
  });
  if (!checker.isBefore('0.7.2')) return;
  if (Array.isArray(value) && words.length === 0) checker.violate(pointer, 'must not be empty');
  const [program] = words;
  if (typeof program === 'string' && !program.startsWith('/'))
    checker.expected(`${pointer}/0`, 'an absolute path', program);
}

function checkOwner(
  checker: AciChecker,
  key: 'user' | 'group',
  value: JsonValue | undefined,
  exists: (text: string) => boolean,
): void {
  const pointer = `/app/${key}`;
  if (value === undefined || !checker.text(pointer, value)) return;
  if (value === '') checker.violate(pointer, 'must not be empty');
  else if (!exists(value)) checker.expected(pointer, `a ${key} of the image, a number or the path of a file`, value);
}

function checkEventHandlers(checker: AciChecker, value: JsonValue | undefined): void {
  const seen = new Set<JsonValue>();
  checker.list('/app/eventHandlers', value).forEach((item, index) => {
    const pointer = `/app/eventHandlers/${index}`;
    const { name, exec } = checker.object(pointer, item, { required: ['name', 'exec'], optional: [] });
    if (name !== undefined)
      checker.matching(`${pointer}/name`, name, /^(pre-start|post-stop)$/, 'pre-start or post-stop');
    if (name !== undefined && seen.has(name)) checker.violate(`${pointer}/name`, 'must be there once only');
    if (name !== undefined) seen.add(name);
    if (exec !== undefined) checkExec(checker, `${pointer}/exec`, exec);
  });
}

function checkIsolators(checker: AciChecker, value: JsonValue | undefined): void {
  checker.list('/app/isolators', value).forEach((item, index) => {
    const pointer = `/app/isolators/${index}`;
    const { name } = checker.object(pointer, item, { required: ['name', 'value'], optional: [] });
    if (name !== undefined) checker.matching(`${pointer}/name`, name, AC_IDENTIFIER, 'an AC identifier');
  });
}

function checkMountPoints(checker: AciChecker, value: JsonValue | undefined): void {
  checker.list('/app/mountPoints', value).forEach((item, index) => {
    const pointer = `/app/mountPoints/${index}`;
    const { name, path, readOnly } = checker.object(pointer, item, {
      required: ['name', 'path'],
      optional: ['readOnly'],
    });
    if (name !== undefined) checker.matching(`${pointer}/name`, name, AC_NAME, 'an AC name');
    if (path !== undefined) checker.matching(`${pointer}/path`, path, /^\//, 'an absolute path');
    if (readOnly !== undefined) checker.boolean(`${pointer}/readOnly`, readOnly);
  });
}

function checkPorts(checker: AciChecker, value: JsonValue | undefined): void {
  checker.list('/app/ports', value).forEach((item, index) => {
    const pointer = `/app/ports/${index}`;
    const { name, protocol, port, count, socketActivated } = checker.object(pointer, item, {
      required: ['name', 'protocol', 'port'],
      optional: ['count', 'socketActivated'],
    });
    if (name !== undefined) checker.matching(`${pointer}/name`, name, AC_NAME, 'an AC name');
    if (protocol !== undefined) checker.text(`${pointer}/protocol`, protocol);
    if (port !== undefined) checker.integer(`${pointer}/port`, port, 1, 65535);
    if (count !== undefined) checker.integer(`${pointer}/count`, count, 1, 65536 - (Number(port) || 1));
    if (socketActivated !== undefined) checker.boolean(`${pointer}/socketActivated`, socketActivated);
  });
}
