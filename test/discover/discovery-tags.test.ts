import { describe, expect, test } from 'vitest';
import { fillTemplate, readDiscoveryTags } from '../../src/discover/discovery-tags.ts';

const TEMPLATE = 'https://example.org/aci/{os}/{arch}/{name}-{version}.{ext}';

function read(name: string, content: string, location = 'example.org/web/nginx') {
  return readDiscoveryTags([{ name, content }], location, { allowThisMachine: false });
}

describe('a buildit-discovery tag', () => {
  test.each(['example.org', 'example.org/', 'example.org/web', 'example.org/web/nginx'])(
    'with the prefix %s counts',
    (prefix) => {
      expect(read('buildit-discovery', `${prefix}  https://cdn.example.org/x`).addresses).toEqual([
        'https://cdn.example.org/x',
      ]);
    },
  );

  test.each(['example.org/we', 'example.com', 'example.org/web/nginx/more', '/'])(
    'with the prefix %s is for others',
    (prefix) => {
      const { addresses, refused } = read('buildit-discovery', `${prefix} https://cdn.example.org/x`);
      expect(addresses).toEqual([]);
      expect(refused).toEqual([{ tried: '<meta name="buildit-discovery">', answer: 'for other names' }]);
    },
  );

  test.each([
    ['ext::id', 'refused: the scheme "ext:"'],
    ['file:///etc', 'refused: the scheme "file:"'],
    ['git+file:///etc', 'refused: the scheme "file:"'],
    ['javascript:alert(1)', 'refused: the scheme "javascript:"'],
    ['/relative', 'refused: no scheme'],
    ['http://example.org/x', 'refused: plain http to another machine'],
    ['http://127.0.0.1/x', 'refused: an address of this machine'],
    ['https://localhost/x', 'refused: an address of this machine'],
    ['https://2130706433/x', 'refused: an address of this machine'],
    ['https://me:s3cret@example.org/x', 'refused: an address with a user or a password'],
    ['https://example.org/x?a=s3cret', 'refused: an address with a query or a fragment'],
    ['', 'no prefix and address in it'],
    ['https://a.org/ https://b.org/', 'no prefix and address in it'],
  ])('that leads to %j is refused', (address, answer) => {
    const { addresses, refused } = read('buildit-discovery', `example.org ${address}`);
    expect(addresses).toEqual([]);
    expect(refused.map((step) => step.answer)).toEqual([answer]);
  });
});

describe('an ac-discovery tag', () => {
  test('offers images by a template', () => {
    expect(read('ac-discovery', `example.org ${TEMPLATE}`).images).toEqual([
      { prefix: 'example.org', template: TEMPLATE },
    ]);
  });

  test.each([
    ['https://example.org/{user}', 'refused: an unknown word in braces'],
    ['{name}://example.org/', 'refused: the scheme "name:"'],
    ['http://example.org/{name}', 'refused: plain http to another machine'],
  ])('with the template %s is refused', (template, answer) => {
    expect(read('ac-discovery', `example.org ${template}`).refused.map((step) => step.answer)).toEqual([answer]);
  });

  test('is filled in with what an image is called', () => {
    const names = { name: 'example.org/nginx', version: '1.7.6 p1', os: 'linux', arch: 'amd64', ext: 'aci' };
    expect(fillTemplate(TEMPLATE, names)).toBe('https://example.org/aci/linux/amd64/example.org/nginx-1.7.6%20p1.aci');
  });
});

test('other tags say nothing', () => {
  expect(read('description', 'example.org https://example.org')).toEqual({ addresses: [], images: [], refused: [] });
});
