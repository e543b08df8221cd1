import { describe, expect, test } from 'vitest';
import { type AciManifestContext, parseAciManifest } from '../../src/image/aci-manifest.ts';
import { BuilditErrors } from '../../src/model/errors.ts';
import { position } from './test-content.ts';

const context: AciManifestContext = {
  platform: { os: 'linux', architecture: 'amd64' },
  position,
  hasUser: (text) => /^[0-9]+$/.test(text) || text === 'nginx',
  hasGroup: (text) => /^[0-9]+$/.test(text),
};

/** The founding document's, rendered. */
const founding = {
  acKind: 'ImageManifest',
  acVersion: '0.6.1',
  name: 'nginx-production-1.7.6-p1',
  labels: [
    { name: 'os', value: 'linux' },
    { name: 'arch', value: 'amd64' },
  ],
  app: { exec: ['/sbin/nginx'], user: '0', group: '0' } as { [key: string]: unknown },
};

function violations(manifest: unknown, changes: Partial<AciManifestContext> = {}): string[] {
  try {
    parseAciManifest(JSON.stringify(manifest), { ...context, ...changes });
    return [];
  } catch (error) {
    const errors = error instanceof BuilditErrors ? error.errors : [error as Error];
    for (const each of errors) expect(each).toMatchObject({ code: 'definition-invalid', position });
    return errors.map(({ message }) =>
      message.replace(/^Cannot use the ACI manifest: /, '').replace(/ \(line \d+\)/, ''),
    );
  }
}

function withApp(app: object, acVersion = '0.6.1') {
  return { ...founding, acVersion, app: { ...founding.app, ...app } };
}

describe('an ACI manifest', () => {
  test('of the founding document is valid', () => {
    expect(parseAciManifest(JSON.stringify(founding), context)).toEqual({
      name: 'nginx-production-1.7.6-p1',
      acVersion: '0.6.1',
      os: 'linux',
      arch: 'amd64',
    });
  });

  test('with everything in it is valid', () => {
    const manifest = {
      ...withApp({
        workingDirectory: '/opt',
        environment: [{ name: 'A_1', value: 'x' }],
        eventHandlers: [
          { name: 'pre-start', exec: ['/bin/a'] },
          { name: 'post-stop', exec: ['/bin/b'] },
        ],
        isolators: [{ name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_NET_BIND_SERVICE'] } }],
        mountPoints: [{ name: 'work', path: '/var/lib/work', readOnly: false }],
        ports: [
          { name: 'http', port: 80, protocol: 'tcp' },
          { name: 'ftp-data', port: 20000, protocol: 'tcp', count: 1000, socketActivated: true },
        ],
      }),
      dependencies: [
        {
          imageName: 'example.com/base',
          imageID: `sha512-${'a'.repeat(128)}`,
          labels: [{ name: 'os', value: 'linux' }],
          size: 5,
        },
      ],
      pathWhitelist: ['/etc/passwd'],
      annotations: [
        { name: 'created', value: '2014-10-27T19:32:27.67021798Z' },
        { name: 'homepage', value: 'https://example.com' },
        { name: 'example.com/note', value: 'x' },
      ],
    };
    expect(violations(manifest)).toEqual([]);
  });

  test.each([
    ['no object', [], ['it must be an object', 'it must have "acKind"'].slice(0, 1)],
    ['another kind', { ...founding, acKind: 'PodManifest' }, ['/acKind must be "ImageManifest", and is "PodManifest"']],
    ['no name', { ...founding, name: undefined }, ['it must have "name"']],
    ['a name in capitals', { ...founding, name: 'Sysadmin42/x' }, ['/name must be an AC identifier']],
    [
      'a version that never was',
      { ...founding, acVersion: '0.9.0' },
      ['/acVersion must be a version of the specification from 0.6.0 to 0.8.11, and is "0.9.0"'],
    ],
    ['a misspelt key', { ...founding, lables: [] }, ['/lables is not known to version 0.6.1']],
    [
      'a label twice',
      { ...founding, labels: [...founding.labels, { name: 'os', value: 'linux' }] },
      ['/labels/2/name must be unique'],
    ],
    [
      'a label called name',
      { ...founding, labels: [{ name: 'name', value: 'x' }] },
      ['/labels must not have a label called "name"'],
    ],
    [
      'arch without os',
      { ...founding, labels: [{ name: 'arch', value: 'amd64' }] },
      ['/labels must have the label "os"'],
    ],
    [
      'another arch',
      {
        ...founding,
        labels: [
          { name: 'os', value: 'linux' },
          { name: 'arch', value: 'i386' },
        ],
      },
      ['/labels must say arch amd64, and says i386'],
    ],
    ['a label without value', { ...founding, labels: [{ name: 'x' }] }, ['/labels/0 must have "value"']],
    ['no exec', { ...founding, app: { user: '0', group: '0' } }, ['/app must have "exec"']],
    ['empty exec', withApp({ exec: [] }), ['/app/exec must not be empty']],
    ['a relative command', withApp({ exec: ['nginx'] }), ['/app/exec/0 must be an absolute path, and is "nginx"']],
    ['a number in exec', withApp({ exec: ['/sbin/nginx', 5] }), ['/app/exec/1 must be a string, and is 5']],
    ['no group', withApp({ group: undefined }), ['/app must have "group"']],
    [
      'a user the image has not',
      withApp({ user: 'www' }),
      ['/app/user must be a user of the image, a number or the path of a file, and is "www"'],
    ],
    ['a numeric user', withApp({ user: 0 }), ['/app/user must be a string, and is 0']],
    [
      'a relative working directory',
      withApp({ workingDirectory: 'opt' }),
      ['/app/workingDirectory must be an absolute path'],
    ],
    [
      'an unknown event',
      withApp({ eventHandlers: [{ name: 'start', exec: ['/x'] }] }),
      ['/app/eventHandlers/0/name must be pre-start or post-stop'],
    ],
    [
      'an event twice',
      withApp({
        eventHandlers: [
          { name: 'pre-start', exec: ['/x'] },
          { name: 'pre-start', exec: ['/x'] },
        ],
      }),
      ['/app/eventHandlers/1/name must be there once only'],
    ],
    [
      'a port above 65535',
      withApp({ ports: [{ name: 'p', protocol: 'tcp', port: 65536 }] }),
      ['/app/ports/0/port must be an integer from 1 to 65535'],
    ],
    [
      'a port name in capitals',
      withApp({ ports: [{ name: 'P', protocol: 'tcp', port: 1 }] }),
      ['/app/ports/0/name must be an AC name'],
    ],
    [
      'a relative mount point',
      withApp({ mountPoints: [{ name: 'm', path: 'x' }] }),
      ['/app/mountPoints/0/path must be an absolute path'],
    ],
    [
      'a variable with a dash',
      withApp({ environment: [{ name: 'A-B', value: '' }] }),
      ['/app/environment/0/name must be a name that matches'],
    ],
    [
      'a created date without T',
      { ...founding, annotations: [{ name: 'created', value: '2014-10-27 19:32:27Z' }] },
      ['/annotations must have "created" as RFC 3339 has it'],
    ],
    [
      'a homepage that is no URL',
      { ...founding, annotations: [{ name: 'homepage', value: 'example.com' }] },
      ['/annotations must have "homepage" as an http or https URL'],
    ],
    [
      'a short image ID',
      { ...founding, dependencies: [{ imageName: 'a', imageID: 'sha512-abc' }] },
      ['/dependencies/0/imageID must be sha512-'],
    ],
    [
      'a relative path in the whitelist',
      { ...founding, pathWhitelist: ['etc'] },
      ['/pathWhitelist/0 must be an absolute path'],
    ],
  ])('with %s is refused', (_, manifest, expected) => {
    const found = violations(manifest);
    expect(found).toHaveLength(expected.length);
    for (const [index, message] of expected.entries()) expect(found[index]).toContain(message);
  });

  test('tells all violations at once', () => {
    expect(violations({ ...withApp({ exec: ['x'], user: '' }), name: 'X' })).toHaveLength(3);
  });

  test('obeys the rules of its own version', () => {
    const relative = (acVersion: string) => violations(withApp({ exec: ['nginx'] }, acVersion)).length;
    expect([relative('0.6.1'), relative('0.7.1'), relative('0.7.2'), relative('0.8.11')]).toEqual([1, 1, 0, 0]);
    const groups = (acVersion: string) => violations(withApp({ supplementaryGIDs: [5] }, acVersion)).length;
    expect([groups('0.6.1'), groups('0.7.0'), groups('0.7.1')]).toEqual([1, 1, 0]);
    const labels = (acVersion: string) => violations(withApp({ userLabels: {} }, acVersion)).length;
    expect([labels('0.8.7'), labels('0.8.8')]).toEqual([1, 0]);
    const annotation = (acVersion: string) =>
      violations({ ...founding, acVersion, annotations: [{ name: 'example.com/x', value: '' }] }).length;
    expect([annotation('0.6.0'), annotation('0.6.1')]).toEqual([1, 0]);
  });

  test('names the platform in the words of appc', () => {
    const arm = { platform: { os: 'linux', architecture: 'arm64' } as const };
    const manifest = (arch: string) => ({
      ...founding,
      labels: [
        { name: 'os', value: 'linux' },
        { name: 'arch', value: arch },
      ],
    });
    expect(violations(manifest('aarch64'), arm)).toEqual([]);
    expect(violations(manifest('arm64'), arm)).toEqual([
      "/labels must say arch aarch64 (appc's name for arm64), and says arm64",
    ]);
    expect(parseAciManifest(JSON.stringify({ ...founding, labels: [] }), { ...context, ...arm }).arch).toBe('aarch64');
  });

  test('that is no JSON is an error with the line inside it', () => {
    expect(() => parseAciManifest('{\n"acKind": "ImageManifest",\n}', context)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('(line 3 of the manifest)'), position }),
    );
  });

  test('tells a hundred violations at most', () => {
    const dependencies = Array.from({ length: 20_000 }, () => ({}));
    const read = () => parseAciManifest(JSON.stringify({ ...founding, dependencies }), context);
    expect(read).toThrow(expect.objectContaining({ errors: expect.objectContaining({ length: 100 }) }));
  });
});
