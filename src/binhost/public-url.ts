/** An address that can stand in a discovery tag: https, lower-case host, no query, no slash at its end. */
export function isPublicUrl(value: string): boolean {
  return (
    !value.includes('..') &&
    /^https:\/\/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~-]{1,100}){0,20}$/.test(value)
  );
}
