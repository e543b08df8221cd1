import { expect, test } from 'vitest';
import { parseImageName, repositoryName } from '../../src/publish/image-name.ts';

test.each([
  ['1.0', 'docker.io/library/web-app:1.0', '1.0'],
  ['v1_RC.2', 'docker.io/library/web-app:v1_RC.2', 'v1_RC.2'],
  ['other:2', 'docker.io/library/other:2', '2'],
  ['team/web', 'docker.io/team/web:latest', 'latest'],
  ['docker.io/web', 'docker.io/library/web:latest', 'latest'],
  ['index.docker.io/library/web:1', 'docker.io/library/web:1', '1'],
  ['registry.example/web:1', 'registry.example/web:1', '1'],
  ['Registry.Example:5000/a/b', 'Registry.Example:5000/a/b:latest', 'latest'],
  ['localhost/web', 'localhost/web:latest', 'latest'],
  ['[::1]:5000/web:1', '[::1]:5000/web:1', '1'],
])('%s names the image %s', (text, full, tag) => {
  expect(parseImageName(text, 'web-app')).toEqual({ full, tag });
});

test.each([
  ['', 'a tag'],
  ['1.0+b', 'a tag'],
  ['-1', 'a tag'],
  ['a b', 'a tag'],
  ['x'.repeat(129), 'a tag'],
  ['web:', 'a tag'],
  ['web:1:2', 'a tag'],
  ['team/Web:1', 'lower case'],
  ['Web:1', 'lower case'],
  ['registry.example/', 'a name such as'],
  ['/web', 'a name such as'],
  ['a//b', 'a name such as'],
  ['a/b..c', 'a name such as'],
  ['a/-b', 'a name such as'],
  ['registry_x.example/web', 'a name such as'],
  ['registry.example:port/web', 'a name such as'],
  [`a/${'b'.repeat(255)}`, 'a name such as'],
  [`web@sha256:${'0'.repeat(64)}`, 'without a digest'],
])('%j is refused', (text, expected) => {
  expect(() => parseImageName(text, 'web-app')).toThrow(expected);
});

test('a name that is long and odd takes no time', () => {
  const before = performance.now();
  for (const text of [`a/${'-'.repeat(1e6)}`, `a/${'a-'.repeat(5e5)}!`, `${'a.'.repeat(5e5)}/b`]) {
    expect(() => parseImageName(text, 'web-app')).toThrow('Cannot tag');
  }
  expect(performance.now() - before).toBeLessThan(1000);
});

test('a container whose name no engine takes gets one that fits', () => {
  expect(['web', 'my_app', 'my.app', 'a--b', 'c++', 'a._b', '+'].map(repositoryName)).toEqual([
    ...['web', 'my_app', 'my.app', 'a--b', 'c', 'a-b', 'image'],
  ]);
});
