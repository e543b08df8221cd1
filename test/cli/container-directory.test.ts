import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { containerDirectory } from '../../src/cli/container-directory.ts';
import { BuilditError } from '../../src/model/errors.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

function container(): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'pkgs/nginx'), { recursive: true });
  writeFileSync(join(directory, 'container.yaml'), '');
  return directory;
}

test('a container, a package in it and a package by name are told apart', () => {
  const directory = container();
  expect(containerDirectory(directory, undefined)).toEqual({ directory, packageName: undefined });
  expect(containerDirectory('/', directory)).toEqual({ directory, packageName: undefined });
  expect(containerDirectory('/', join(directory, 'pkgs/nginx/'))).toEqual({ directory, packageName: './pkgs/nginx' });
  expect(containerDirectory(directory, 'pkgs/nginx')).toEqual({ directory, packageName: './pkgs/nginx' });
  expect(containerDirectory(join(directory, 'pkgs'), 'dev-libs/openssl')).toEqual({
    directory,
    packageName: 'dev-libs/openssl',
  });
});

test('a name behind the directory of a container is a package of that one', () => {
  const directory = container();
  const openssl = { directory, packageName: 'dev-libs/openssl' };
  expect(containerDirectory('/', join(directory, 'dev-libs/openssl'))).toEqual(openssl);
  expect(containerDirectory(dirname(directory), `${basename(directory)}/dev-libs/openssl`)).toEqual(openssl);
  expect(containerDirectory(join(directory, 'pkgs'), '../dev-libs/openssl')).toEqual(openssl);
  expect(containerDirectory(container(), join(directory, 'openssl'))).toEqual({ directory, packageName: 'openssl' });
});

test('where there is no container anywhere above, that is said', () => {
  const find = () => containerDirectory(temporaryDirectory(), 'dev-libs/openssl');
  expect(find).toThrow(BuilditError);
  expect(find).toThrow(/Cannot find the container of "dev-libs\/openssl"/);
});
