import { describe, expect, test } from 'vitest';
import { parseOutput } from '../../src/publish/parse-output.ts';

describe('--output', () => {
  test('names a type and a place, relative to where the user is', () => {
    expect(parseOutput('type=oci,dest=images/web', '/home/web')).toEqual({ type: 'oci', dest: '/home/web/images/web' });
    expect(parseOutput('dest=/tmp/x.tar,type=docker', '/home')).toEqual({ type: 'docker', dest: '/tmp/x.tar' });
    expect(parseOutput('type=tar,dest=a=b', '/')).toEqual({ type: 'tar', dest: '/a=b' });
  });

  test.each([
    ['oci', 'found "oci"'],
    ['type=oci', 'found no dest'],
    ['dest=x', 'found no type'],
    ['type=rpm,dest=x', 'found type rpm'],
    ['type=oci,dest=', 'found "dest="'],
    ['type=oci,type=aci,dest=x', 'found "type=aci"'],
    ['type=oci,dest=x,push=true', 'found "push=true"'],
  ])('%s is a mistake in usage', (text, message) => {
    expect(() => parseOutput(text, '/')).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.stringContaining(message) }),
    );
  });
});
