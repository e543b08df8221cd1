import { expect, test } from 'vitest';
import { mixedReleases, withoutSecurity } from '../../src/pipeline/suite-warnings.ts';

const repository = (name: string, suites: readonly string[], imageSuites = suites) =>
  ({ name, debian: { suites, imageSuites } }) as never;
const definitions = (repositories: readonly never[], packages: readonly object[] = []) =>
  ({ repositories, packages }) as never;
const lock = (...suites: readonly string[]) =>
  ({ debian: Object.fromEntries(suites.map((suite, index) => [`p${index}`, { name: `p${index}`, suite }])) }) as never;

test('packages of two releases in one image are reported with both', () => {
  const [old, next] = [repository('old', ['bookworm']), repository('next', ['trixie'])];
  const built = { name: 'app-x/which', repository: 'next' };
  const text = mixedReleases(definitions([old, next], [built]), lock('bookworm'));
  expect(text).toContain('trixie (app-x/which) and bookworm (debian/p0)');
  expect(mixedReleases(definitions([old, next]), lock('bookworm'))).toBeUndefined();
  expect(mixedReleases(definitions([next], [built]), lock('trixie'))).toBeUndefined();
});

test('updates belong to their release', () => {
  const suites = lock('bookworm', 'bookworm-security', 'bookworm-updates');
  expect(mixedReleases(definitions([repository('main', ['bookworm'])]), suites)).toBeUndefined();
});

test('images without a suite of security updates are reported', () => {
  expect(withoutSecurity(definitions([repository('main', ['bookworm'])]))).toContain('security updates');
  const both = repository('main', ['bookworm'], ['bookworm', 'bookworm-security']);
  expect(withoutSecurity(definitions([both]))).toBeUndefined();
});
