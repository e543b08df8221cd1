// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what melange substitutes
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { shippedClassPhases } from '../../../src/definition/shipped-class-phases.ts';
import { importMelange } from '../../../src/draft/import/import-melange.ts';

const path = fileURLToPath(new URL('../../fixtures/import/melange/lantern.yaml', import.meta.url));
const { draft } = importMelange(readFileSync(path, 'utf8'), path, await shippedClassPhases());

describe('of a melange file nothing is lost:', () => {
  test.each([
    'package.copyright.attestation (line 9) is not translated: Copyright Somebody',
    'package.setcap (line 10) is not translated: - path: /usr/sbin/lantern add: cap_net_bind_service: "+ep"',
    'package.scriptlets (line 14) is not translated: post-install: | #!/bin/sh lantern --light',
    'the version is not kept: tzdata>=2024',
    'package.dependencies.provides (line 21) is not translated: - lamp=${{package.full-version}}',
    'package.dependencies.replaces (line 23) is not translated: - lamp',
    'vars.unused (line 28) is not translated',
    'environment.environment.HOME (line 39) is not translated: /home/lantern',
    'environment.environment.JSON (line 40) is not translated: "{{x}}"',
    'environment.accounts (line 41) is not translated: users: - username: lantern',
    'fetch: strip-components (line 50) is not translated: 2',
    'a step of the pipeline: environment (line 53) is not translated: LIBS: -lm',
    'autoconf/configure: dir (line 57) is not translated: server',
    'a step of the pipeline: working-directory (line 62) is not translated: oil',
    'the subpackage lantern-doc (line 67) is not translated: what it would hold stays in this package',
    'the subpackage lantern-dev (line 71) is not translated: what it would hold stays in this package',
    'the part "update" (line 75) is not translated',
    'frobnicate (line 80) is not translated: true',
    'the part "test" (line 82) is not translated',
  ])('%s', (todo) => {
    expect(draft.notes.filter(({ kind }) => kind === 'todo').map(({ text }) => text)).toContain(todo);
  });
});

test('variables of the other build are variables of this one', () => {
  expect(draft.environment).toEqual({ CFLAGS: '-O3 -DWICK=cotton' });
});
