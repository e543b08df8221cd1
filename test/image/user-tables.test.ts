import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addDebianUsers, addUsers, findOwner, hasOwner, type UserTables } from '../../src/image/user-tables.ts';
import { requires } from '../support/requires.ts';
import { position } from './test-content.ts';

const base: UserTables = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n',
  group: 'root:x:0:\nwww-data:x:33:\nstaff:x:50:\n',
  shadow: 'root:*:19000:0:99999:7:::\n',
};

const web = { name: 'web', uid: 100, gid: 100, home: '/srv', shell: '/bin/sh', by: 'www-servers/web' };

describe('users', () => {
  test('are added with a group of their own, and to shadow where there is one', () => {
    expect(addUsers(base, [web])).toEqual({
      passwd: `${base.passwd}web:x:100:100:web:/srv:/bin/sh\n`,
      group: `${base.group}web:x:100:\n`,
      shadow: `${base.shadow}web:!:::::::\n`,
    });
    expect(addUsers({ ...base, shadow: undefined }, [web]).shadow).toBeUndefined();
  });

  test('join a group that is there', () => {
    expect(addUsers(base, [{ ...web, gid: 50 }]).group).toBe(base.group);
  });

  test('asked for twice in the same way are there once', () => {
    expect(addUsers(base, [web, { ...web, by: 'www-servers/other' }])).toEqual(addUsers(base, [web]));
  });

  test('of the base get another home only from the container itself', () => {
    const moved = { name: 'www-data', uid: 33, gid: 33, home: '/srv', shell: '/bin/sh', by: 'www-servers/web' };
    expect(addUsers(base, [moved]).passwd).toBe(base.passwd);
    expect(addUsers(base, [{ ...moved, by: 'container.yaml', position }]).passwd).toContain(
      'www-data:x:33:33:www-data:/srv:/bin/sh',
    );
  });

  test('with a number or name that is taken are errors that name both sides', () => {
    expect(() => addUsers(base, [web, { ...web, uid: 101, by: 'www-servers/other' }])).toThrow(
      'Cannot add user "web" (uid 101, gid 100) of www-servers/other: www-servers/web has web with uid 100, gid 100',
    );
    expect(() => addUsers(base, [{ ...web, uid: 33 }])).toThrow('the base has www-data with uid 33, gid 33');
    expect(() => addUsers(base, [{ ...web, name: 'staff' }])).toThrow('expected group staff to have gid 100, found 50');
    expect(() => addUsers(base, [{ ...web, uid: 33, position }])).toThrow(
      expect.objectContaining({ code: 'definition-invalid', position }),
    );
  });

  test('are found by name and number', () => {
    const owner = (user: string, group: string) => findOwner(base, { user, group }, position);
    expect(owner('www-data', 'staff')).toEqual({ uid: 33, gid: 50 });
    expect(owner('www-data', '')).toEqual({ uid: 33, gid: 33 });
    expect(owner('33', '')).toEqual({ uid: 33, gid: 33 });
    expect(owner('1234', '')).toEqual({ uid: 1234, gid: 1234 });
    expect(owner('0', '0')).toEqual({ uid: 0, gid: 0 });
    expect(() => owner('33', 'stuff')).toThrow(
      'Cannot find group "stuff" in the image: found root, 2 of every Debian system',
    );
  });

  test('root is there even where no table is', () => {
    const none = { passwd: '', group: '', shadow: undefined };
    expect(findOwner(none, { user: 'root', group: 'root' }, position)).toEqual({ uid: 0, gid: 0 });
    expect(hasOwner(none, 'root')).toBe(true);
    expect(hasOwner(none, 'www-data')).toBe(false);
  });
});

describe('the users of every Debian system', () => {
  const bare: UserTables = { passwd: 'root:x:0:0:root:/root:/bin/sh\n', group: 'root:x:0:\n', shadow: undefined };
  const lines = (text: string) => text.trimEnd().split('\n');

  requires('dpkg').test('are those of base-passwd', () => {
    const master = (name: string) => {
      const text = readFileSync(`/usr/share/base-passwd/${name}.master`, 'utf8');
      return lines(text.replaceAll(':*:', ':x:')).slice(1);
    };
    const { passwd, group } = addDebianUsers(bare, []);
    expect(lines(passwd)).toEqual([lines(bare.passwd)[0], ...master('passwd')]);
    expect(lines(group)).toEqual(['root:x:0:', ...master('group')]);
  });

  test('are the base’s own where it has them', () => {
    const { passwd, group } = addDebianUsers(base, []);
    expect(lines(passwd).filter((line) => line.startsWith('www-data:'))).toEqual([lines(base.passwd)[1]]);
    expect(lines(group).filter((line) => line.startsWith('staff:'))).toEqual(['staff:x:50:']);
    expect(addDebianUsers(base, []).shadow).toContain('\ngames:*:::::::\n');
  });

  test('give way to a user of a package or a step, by name and by number', () => {
    const wanted = [
      { ...web, name: 'proxy', uid: 500, gid: 500 },
      { ...web, name: 'mine', uid: 33, gid: 33 },
      { ...web, name: 'video', uid: 501, gid: 501 },
      { ...web, name: 'app', uid: 100, gid: 100 },
    ];
    const tables = addUsers(addDebianUsers(bare, wanted), wanted);
    const users = lines(tables.passwd).map((line) => line.split(':').slice(0, 4).join(':'));
    expect(users.filter((line) => /^(?:proxy|www-data|mine|video|app):/.test(line))).toEqual([
      ...['proxy:x:500:500', 'mine:x:33:33', 'video:x:501:501', 'app:x:100:100'],
    ]);
    for (const [group, gid] of Object.entries({
      proxy: 500,
      mine: 33,
      'www-data': 33,
      video: 501,
      app: 100,
      users: 100,
    })) {
      expect(findOwner(tables, { user: '0', group }, position).gid).toBe(gid);
    }
  });

  test('are not added twice', () => {
    const once = addDebianUsers(bare, []);
    expect(addDebianUsers(once, [])).toEqual(once);
  });
});
