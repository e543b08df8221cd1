import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createWitness } from '../../src/system/witness.ts';
import { requires } from '../support/requires.ts';
import { DIGEST, type Files, mistakesOf, PATCH, project, readFiles } from './project.ts';

type Mistake = readonly [title: string, files: Files, code: string, place: string, message: RegExp];

const HEAD = '- vars: {name: web, version: 1.0}\n- base: none\n- image: {type: oci}\n';

/** container.yaml with a sound head of three lines and one more step from line 4 on. */
function step(text: string): Files {
  return { 'container.yaml': `${HEAD}${text}\n` };
}

function vars(text: string): Files {
  return { 'container.yaml': `- vars: ${text}\n- base: none\n- image: {type: oci}\n` };
}

function derivation(text: string): Files {
  return { 'pkgs/nginx/pkg.yaml': `base: www-servers/nginx-1.22.1\n${text}\n` };
}

function recipe(text: string, head = 'name: a/b\nversion: 1\nclass: make\n'): Files {
  return { 'pkgs/nginx/pkg.yaml': `${head}${text}\n` };
}

// biome-ignore format: one mistake a line
const container: readonly Mistake[] = [
  ['a duplicate key', vars('{name: a, version: 1, name: b}'), 'definition-invalid', 'container.yaml:1:31', /found "name" again \(first in line 1\)/],
  ['aliases', vars('{name: &n web, version: *n}'), 'definition-invalid', 'container.yaml:1:16', /found "&n"/],
  ['a merge key', step('- file: {<<: {dest: /a}, content: b}'), 'definition-invalid', 'container.yaml:4:10', /found a merge key/],
  ['__proto__', vars('{name: a, version: 1, __proto__: {x: 1}}'), 'definition-invalid', 'container.yaml:1:31', /found "__proto__"/],
  ['5,000 levels of lists', { 'container.yaml': '['.repeat(5000) }, 'definition-invalid', 'container.yaml:1:48', /at most 48 levels/],
  ['5,000 levels of steps', { 'container.yaml': '- '.repeat(5000) }, 'definition-invalid', 'container.yaml:1:95', /at most 48 levels/],
  ['a second document', { 'container.yaml': `${HEAD}---\n${HEAD}` }, 'definition-invalid', 'container.yaml:4:1', /found a second one/],
  ['a tag', step('- file: {dest: /a, content: !!js/function "x"}'), 'definition-invalid', 'container.yaml:4:29', /found the tag "!!js\/function"/],
  ['YAML 1.1', { 'container.yaml': `%YAML 1.1\n---\n${HEAD}` }, 'definition-invalid', 'container.yaml:1:1', /found "%YAML 1.1"/],
  ['an unquoted template', step('- file: {dest: /a, content: {{ name }}}'), 'definition-invalid', 'container.yaml:4:29', /unquoted template {{ name }} \| quote it: "{{ name }}"/],
  ['text behind an unquoted template', step('- file:\n    dest: /a\n    content: {{ name }}-x'), 'definition-invalid', 'container.yaml:6:14', /unquoted template.*quote the whole value/],
  ['a tab as indentation', step('- file:\n\tdest: /a'), 'definition-invalid', 'container.yaml:5:1', /expected spaces as indentation, found a tab/],
  ['an open quote', step('- file: {dest: "/a, content: b}'), 'definition-invalid', 'container.yaml:5:1', /Missing closing/],
  ['a misspelt key', step('- file: {dest: /a, content: b, chmdo: 0644}'), 'definition-invalid', 'container.yaml:4:32', /unknown key "chmdo" \| did you mean "chmod"\?/],
  ['a misspelt step', step('- fiel: {dest: /a, content: b}'), 'definition-invalid', 'container.yaml:4:3', /unknown key "fiel" \| did you mean "file"\?/],
  ['a step of a later version', step('- run: {command: [ldconfig]}'), 'definition-invalid', 'container.yaml:4:3', /Cannot use "run": this version of buildit does not support it yet/],
  ['a kind of package of a later version', step('- package: {type: npm, name: x}'), 'definition-invalid', 'container.yaml:4:19', /Cannot use "npm": .*not support it yet/],
  ['a misspelt kind of package', step('- package: {type: embeded, path: x}'), 'definition-invalid', 'container.yaml:4:19', /found "embeded" \| did you mean "embedded"/],
  ['missing keys', step('- sync: {recursive: True}'), 'definition-invalid', 'container.yaml:4:9', /expected the keys "src" and "dest", found recursive/],
  ['two steps in one', step('- file: {dest: /a, content: b}\n  link: {dest: /b, target: b}'), 'definition-invalid', 'container.yaml:4:3', /expected one step, found file, link/],
  ['a list where a text belongs', step('- file: {dest: [/a], content: b}'), 'definition-invalid', 'container.yaml:4:16', /"file.dest": expected an absolute path in the image, found a list/],
  ['a mapping in place of the steps', { 'container.yaml': 'vars: {name: a}\n' }, 'definition-invalid', 'container.yaml:1:1', /expected a list, found a mapping/],
  ['an empty file', { 'container.yaml': '' }, 'definition-invalid', 'container.yaml:1:1', /expected a list, found nothing/],
  ['no image', { 'container.yaml': '- vars: {name: a, version: 1}\n' }, 'definition-invalid', 'container.yaml:1:1', /at least one step "image"/],
  ['no version', vars('{name: a}'), 'definition-invalid', 'container.yaml:1:3', /expected the variable "version"/],
  ['a name that leaves', vars('{name: ../a, version: 1}'), 'definition-invalid', 'container.yaml:1:16', /"vars.name": .*found "\.\.\/a"/],
  ['a name with dots', vars('{name: a..b, version: 1}'), 'definition-invalid', 'container.yaml:1:16', /found "a\.\.b"/],
  ['a name of 300 letters', vars(`{name: ${'a'.repeat(300)}, version: 1}`), 'definition-invalid', 'container.yaml:1:16', /found "a{80}…"/],
  ['a name that is an option', vars('{name: -rf, version: 1}'), 'definition-invalid', 'container.yaml:1:16', /found "-rf"/],
  ['a right-to-left mark', vars('{name: "a\u202eb", version: 1}'), 'definition-invalid', 'container.yaml:1:16', /found "a\\u202eb"/],
  ['NUL in a name', vars('{name: "a\\0b", version: 1}'), 'definition-invalid', 'container.yaml:1:16', /found "a\\u0000b"/],
  ['a newline in a name', vars('{name: "a\\nb", version: 1}'), 'definition-invalid', 'container.yaml:1:16', /found "a…"/],
  ['an author with a slash', vars('{name: a, version: 1, author: a/b}'), 'definition-invalid', 'container.yaml:1:39', /"vars.author"/],
  ['shell syntax in a version', vars('{name: a, version: $(id)}'), 'definition-invalid', 'container.yaml:1:28', /"vars.version": .*found "\$\(id\)"/],
  ['a version that is an option', vars('{name: a, version: -1}'), 'definition-invalid', 'container.yaml:1:28', /found "-1"/],
  ['a version that is nothing', vars('{name: a, version: }'), 'definition-invalid', 'container.yaml:1:28', /found nothing/],
  ['a template in vars', vars('{name: a, version: "{{ name }}"}'), 'definition-invalid', 'container.yaml:1:28', /templates are for the steps after vars/],
  ['several architectures', vars('{name: a, version: 1, arch: [amd64, arm64]}'), 'definition-invalid', 'container.yaml:1:37', /list of architectures: this version .*not support/],
  ['an unknown architecture', vars('{name: a, version: 1, arch: vax}'), 'definition-invalid', 'container.yaml:1:37', /expected amd64 or arm64, found "vax"/],
  ['another architecture', vars('{name: a, version: 1, arch: arm64}'), 'definition-invalid', 'container.yaml:1:37', /Cannot build for linux\/arm64/],
  ['the environment in a template', step('- file: {dest: /a, content: "{{ env.HOME }}"}'), 'definition-invalid', 'container.yaml:4:30', /expected {{ name }}, found "{{ env\.HOME }}"/],
  ['a prototype in a template', step('- file: {dest: /a, content: "x{{ constructor }}"}'), 'definition-invalid', 'container.yaml:4:31', /{{ constructor }}": expected the name of a value/],
  ['a block in a template', step('- file: {dest: /a, content: "{{#if name}}x{{/if}}"}'), 'definition-invalid', 'container.yaml:4:30', /found "{{#if name}}/],
  ['a partial in a template', step('- file: {dest: /a, content: "{{> x}}"}'), 'definition-invalid', 'container.yaml:4:30', /found "{{> x}}"/],
  ['raw braces in a template', step('- file: {dest: /a, content: "{{{ name }}}"}'), 'definition-invalid', 'container.yaml:4:30', /found "{{{ name }}}"/],
  ['a helper in a template', step('- file: {dest: /a, content: "{{ lookup name 1 }}"}'), 'definition-invalid', 'container.yaml:4:30', /found "{{ lookup name 1 }}"/],
  ['a misspelt variable', step('- file:\n    dest: /a\n    content: |\n      a {{ name }}\n      b {{ nmae }}'), 'definition-invalid', 'container.yaml:8:9', /{{ nmae }}".*did you mean "name"/],
  ['a source that leaves', step('- sync: {src: ../../etc/passwd, dest: /a}'), 'definition-invalid', 'container.yaml:4:15', /"sync.src": expected a relative path that stays inside/],
  ['an absolute source', step('- sync: {src: /etc/passwd, dest: /a}'), 'definition-invalid', 'container.yaml:4:15', /found "\/etc\/passwd"/],
  ['a source that is not there', step('- sync: {src: ./no, dest: /a}'), 'file-missing', 'container.yaml:4:15', /Cannot use "no" as "sync.src": .*found none/],
  ['a relative destination', step('- file: {dest: a, content: b}'), 'definition-invalid', 'container.yaml:4:16', /expected an absolute path/],
  ['a destination that leaves', step('- file: {dest: /a/../../b, content: b}'), 'definition-invalid', 'container.yaml:4:16', /without "\." and "\.\."/],
  ['set-id modes', step('- file: {dest: /a, content: b, chmod: 06755}'), 'definition-invalid', 'container.yaml:4:39', /up to 0777, found "06755" \| set-user-ID/],
  ['set-id modes in quotes', step('- directory: {dest: /a, chmod: "4755"}'), 'definition-invalid', 'container.yaml:4:32', /up to 1777/],
  ['digits that are not octal', step('- file: {dest: /a, content: b, chmod: 0o688}'), 'definition-invalid', 'container.yaml:4:39', /expected an octal mode such as 0644, found "0o688"/],
  ['a hexadecimal mode', step('- file: {dest: /a, content: b, chmod: 0x1a4}'), 'definition-invalid', 'container.yaml:4:39', /found "0x1a4"/],
  ['a mode as a number with an exponent', step('- file: {dest: /a, content: b, chmod: 1e2}'), 'definition-invalid', 'container.yaml:4:39', /found "1e2"/],
  ['an owner with a space', step('- directory: {dest: /a, chown: a b}'), 'definition-invalid', 'container.yaml:4:32', /expected an owner such as nginx:nginx/],
  ['an owner number that is too large', step('- directory: {dest: /a, chown: 4294967295}'), 'definition-invalid', 'container.yaml:4:32', /expected an owner/],
  ['a user number in another base', step('- user: {name: a, uid: 0x10}'), 'definition-invalid', 'container.yaml:4:24', /a whole number from 0/],
  ['a negative user number', step('- user: {name: a, uid: -1}'), 'definition-invalid', 'container.yaml:4:24', /a whole number/],
  ['a user name with a colon', step('- user: {name: "a:b", uid: 1}'), 'definition-invalid', 'container.yaml:4:16', /a user name/],
  ['a shell with a colon', step('- user: {name: a, uid: 1, shell: "/a:b"}'), 'definition-invalid', 'container.yaml:4:34', /a path without ":"/],
  ['an empty link', step('- link: {dest: /a, target: ""}'), 'definition-invalid', 'container.yaml:4:28', /found an empty text/],
  ['a manifest that is no JSON', step('- image: {type: aci, content: "{"}'), 'definition-invalid', 'container.yaml:4:31', /"image.content": expected a JSON object/],
  ['a tag with a slash', step('- image: {type: oci, tags: [a/b]}'), 'definition-invalid', 'container.yaml:4:29', /expected a tag of letters/],
  ['too many layers', step('- image: {type: oci, layers: {budget: 200}}'), 'definition-invalid', 'container.yaml:4:39', /from 1 to 125/],
  ['a port that is none', step('- image: {type: oci, config: {ports: [99999]}}'), 'definition-invalid', 'container.yaml:4:39', /a port such as 80\/tcp/],
  ['a Debian name with a space', step('- package: {type: debian, name: "libc6 x"}'), 'definition-invalid', 'container.yaml:4:33', /a Debian package such as libc6/],
  ['a recipe outside', step('- package: {type: embedded, path: ../x}'), 'definition-invalid', 'container.yaml:4:35', /stays inside the directory/],
  ['a directory without a recipe', { ...step('- package: {type: embedded, path: pkgs/x}'), 'pkgs/x/y': '' }, 'file-missing', 'container.yaml:4:35', /Cannot read "pkgs\/x\/pkg.yaml": expected a file, found none/],
  ['an unknown recipe', step('- package: {type: repository, name: www-server/nginx}'), 'dependency-unsatisfied', 'container.yaml:4:37', /did you mean "www-servers\/nginx"/],
  ['an unknown version', step('- package: {type: repository, name: www-servers/nginx, version: 1.7.6}'), 'dependency-unsatisfied', 'container.yaml:4:65', /expected 1\.7\.6, found 1\.26\.3, 1\.22\.1/],
  ['a Debian package as a recipe', step('- package: {type: repository, name: debian/libc6}'), 'definition-invalid', 'container.yaml:4:37', /type: debian, name: libc6/],
  ['a package twice', step('- package: {type: repository, name: www-servers/nginx}\n- package: {type: embedded, path: pkgs/nginx}'), 'definition-invalid', 'container.yaml:5:35', /each package once/],
  ['a flag that the recipe lacks', step('- package: {type: repository, name: www-servers/nginx, use: {with: [htp2]}}'), 'definition-invalid', 'container.yaml:4:69', /did you mean "http2"\? its flags are http2, ipv6, mail, ssl/],
];

// biome-ignore format: one mistake a line
const packages: readonly Mistake[] = [
  ['a Debian source package with a version that is none', { 'pkgs/nginx/pkg.yaml': 'base: debian/redis=7_0\n' }, 'definition-invalid', 'pkgs/nginx/pkg.yaml:1:7', /a Debian source package such as debian\/redis/],
  ['a Debian source package with a name that is none', { 'pkgs/nginx/pkg.yaml': 'base: debian/../redis\n' }, 'definition-invalid', 'pkgs/nginx/pkg.yaml:1:7', /a Debian source package such as debian\/redis/],
  ['binary packages of a recipe that has none', derivation('subpackages: [nginx-core]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:14', /expected a base that is a Debian source package/],
  ['a class debian without a source package', recipe('', 'name: a/b\nclass: debian\n'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:1:1', /expected a Debian source package/],
  ['a class debian with a version of its own', recipe('', 'name: a/b\nversion: 1\nclass: debian\nsource: {debian: redis}\n'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:1', /expected it in "source"/],
  ['a misspelt base', { 'pkgs/nginx/pkg.yaml': 'bsae: debian/redis\nauthor: me\n' }, 'definition-invalid', 'pkgs/nginx/pkg.yaml:1:1', /^[^\n]*found "bsae" \| did you mean "base"\?$/],
  ['a base that leaves', { 'pkgs/nginx/pkg.yaml': 'base: ../../etc/passwd\n' }, 'definition-invalid', 'pkgs/nginx/pkg.yaml:1:7', /expected a package such as/],
  ['an unknown base', { 'pkgs/nginx/pkg.yaml': 'base: www-servers/ngnix-1.22.1\n' }, 'dependency-unsatisfied', 'pkgs/nginx/pkg.yaml:1:7', /did you mean "www-servers\/nginx"/],
  ['an unknown version of the base', { 'pkgs/nginx/pkg.yaml': 'base: www-servers/nginx-1.7.6\n' }, 'dependency-unsatisfied', 'pkgs/nginx/pkg.yaml:1:7', /expected 1\.7\.6, found 1\.26\.3, 1\.22\.1/],
  ['an unknown key of a derivation', derivation('phases: {build: make}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:1', /unknown key "phases"/],
  ['a misspelt key that is needed', derivation('configure: {apend: [x]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:13', /found the unknown key "apend" \| did you mean "append"\?/],
  ['an unknown key where one alone is known', derivation('configure: {foo: [x]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:13', /expected append, found the unknown key "foo"/],
  ['a misspelt key of a sub-package', recipe('subpackages: {doc: {fiels: [a]}}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:21', /did you mean "files"\?/],
  ['a misspelt version', recipe('', 'name: a/b\nversoin: 1\nclass: make\n'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:1', /did you mean "version"\?/],
  ['a misspelt URL of a source', recipe('source: {ulr: "https://x.org/a.tar.gz"}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:10', /did you mean "url"\?/],
  ['a misspelt command of a test', recipe('test: [{rnu: [a]}]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:9', /did you mean "run"\?/],
  ['a key of versions that is none', recipe('', 'name: a/b\nclass: make\nversions:\n  "1 0": {}\n'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:3', /expected a version such as 1\.22\.1, found "1 0"/],
  ['an unknown flag', derivation('use:\n  with: [ip6]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:3:10', /expected a flag of www-servers\/nginx.*did you mean "ipv6"/],
  ['a flag on and off', derivation('use: {with: [mail], without: [mail]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:31', /found it in both/],
  ['a flag without what it requires', derivation('use: {with: [http2], without: [ssl]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:14', /expected www-servers\/nginx with its flag "ssl"/],
  ['a patch that leaves', derivation('patches: {../x.patch: y}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:11', /stays inside the directory/],
  ['an absolute patch', derivation('patches: {/etc/x.patch: y}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:11', /stays inside the directory/],
  ['a patch that is not there', derivation('patches: {patches/x.patch: y}'), 'file-missing', 'pkgs/nginx/pkg.yaml:2:11', /expected a file, found none/],
  ['a patch over http', derivation('patches: {"http://x.org/y.patch": y}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:11', /expected an https URL/],
  ['a patch from file:', derivation('patches: {"file:///etc/passwd": y}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:11', /expected an https URL/],
  ['a patch from ext::', derivation('patches: {"ext::sh -c id": y}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:11', /expected an https URL/],
  ['a patch with a password', derivation('patches: {"https://u:secret@x.org/y.patch": y}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:11', /^(?!.*secret).*without a user or password/],
  ['a patch of another digest', { ...derivation(`patches: {a.patch: {sha256: ${DIGEST}}}`), 'pkgs/nginx/a.patch': PATCH }, 'checksum-mismatch', 'pkgs/nginx/pkg.yaml:2:11', /expected SHA-256 69ee2b23/],
  ['a short digest', recipe('source: {url: "https://x.org/a.tar.gz", sha256: 69ee2b}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:49', /64 lower-case hexadecimal digits, found "69ee2b"/],
  ['a digest of digits only', recipe(`source: {url: "https://x.org/a.tar.gz", sha256: ${'1'.repeat(63)}}`), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:49', /64 lower-case hexadecimal digits/],
  ['an upper-case digest', recipe(`source: {url: "https://x.org/a.tar.gz", sha256: ${DIGEST.toUpperCase()}}`), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:49', /64 lower-case/],
  ['a source without a digest', recipe('source: https://x.org/a.tar.gz'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:9', /expected the SHA-256 of the file, found none/],
  ['a source over http', recipe(`source: {url: "http://x.org/a.tar.gz", sha256: ${DIGEST}}`), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:15', /expected an https URL/],
  ['a source from git:', recipe(`source: {url: "git://x.org/a", sha256: ${DIGEST}}`), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:15', /expected an https URL/],
  ['a source with an option as host', recipe(`source: {url: "https:-oProxyCommand=id", sha256: ${DIGEST}}`), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:15', /expected an https URL/],
  ['a source file outside', recipe('source: {file: ../../container.yaml}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:16', /stays inside the directory/],
  ['a source directory outside', recipe(`source: {url: "https://x.org/a.tar", sha256: ${DIGEST}, directory: ../x}`), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:123', /stays inside the directory/],
  ['a source without a file name', recipe(`source: {url: "https://x.org/", sha256: ${DIGEST}}`), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:15', /say what the file is called with "filename"/],
  ['two sources of one name', recipe( `source:\n- {url: "https://x.org/a.tar", sha256: ${DIGEST}}\n- {url: "https://y.org/a.tar", sha256: ${DIGEST}}`, ), 'definition-invalid', 'pkgs/nginx/pkg.yaml:6:3', /each file name once/],
  ['a variable of buildit', recipe('environment: {DESTDIR: /}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:15', /one that buildit sets itself/],
  ['a variable name with shell syntax', recipe('environment: {"A$(id)": x}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:15', /a variable name/],
  ['an argument that the shell would run', recipe('configure: ["$(id)"]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:13', /an argument without spaces/],
  ['an argument with a space', derivation('configure: {append: ["-a -b"]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:22', /an argument without spaces/],
  ['a misspelt class', recipe('', 'name: a/b\nversion: 1\nclass: automake\n'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:3:8', /expected autotools, .*, make, meson/],
  ['a sub-package with the name of the package itself', recipe('subpackages: {main: {files: [x]}}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:15', /expected another name/],
  ['a sub-package of files outside', recipe('subpackages: {doc: {files: [../x]}}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:29', /a pattern of paths without a leading slash/],
  ['an unknown capability', recipe('capabilities: {usr/bin/a: [cap_net_bindservice]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:28', /"capabilities.usr\/bin\/a\[0\]": expected a Linux capability such as cap_net_bind_service, found "cap_net_bindservice" \| did you mean "cap_net_bind_service"\?/],
  ['a capability in capitals', recipe('capabilities: {usr/bin/a: [CAP_NET_RAW]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:28', /did you mean "cap_net_raw"\?/],
  ['a file with no capabilities', recipe('capabilities: {usr/bin/a: []}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:27', /"capabilities.usr\/bin\/a": expected a list of capabilities, found an empty list/],
  ['capabilities without a list', recipe('capabilities: {usr/bin/a: cap_chown}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:27', /expected a list of capabilities, found "cap_chown"/],
  ['capabilities of an absolute path', recipe('capabilities: {/usr/bin/a: [cap_chown]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:16', /"capabilities": expected a path in the package without a leading slash such as usr\/bin\/ping, found "\/usr\/bin\/a"/],
  ['capabilities of a path that leaves', recipe('capabilities: {usr/../../a: [cap_chown]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:16', /found "usr\/\.\.\/\.\.\/a"/],
  ['capabilities of a path with a right-to-left mark', recipe('capabilities: {"usr/a\u202eb": [cap_chown]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:16', /found "usr\/a\\u202eb"/],
  ['capabilities of one path twice', recipe('capabilities: {usr/bin/b: [cap_chown], "usr/bin/{{name}}": [cap_kill]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:40', /expected each path once, found "usr\/bin\/b"/],
  ['capabilities in a derivation', derivation('capabilities: {usr/bin/a: [cap_chown]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:1', /found the unknown key "capabilities"/],
  ['an allowance of nothing known', recipe('allow: {setid: it is needed}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:9', /"allow": expected build-path, .*found the unknown key "setid" \| did you mean "set-id"\?/],
  ['an allowance without a reason', recipe('allow: {set-id: {paths: [usr/bin/su]}}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:17', /"allow.set-id": expected the key "reason"/],
  ['an allowance of an absolute path', derivation('allow: {set-id: {reason: it is needed, paths: [/usr/bin/su]}}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:2:48', /"allow.set-id.paths": expected a pattern of paths without a leading slash/],
  ['a list of sub-packages', recipe('subpackages: [doc]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:14', /a mapping/],
  ['version and versions', recipe('versions: {2: {}}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:1', /expected one of "version" and "versions", found both/],
  ['nothing to do', recipe('', 'name: a/b\nversion: 1\n'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:1:1', /expected the key "class" or "phases"/],
  ['a name without a category', recipe('', 'name: b\nversion: 1\nclass: none\n'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:1:7', /a name such as www-servers\/nginx, found "b"/],
  ['a name of three parts', recipe('', 'name: a/b/c\nversion: 1\nclass: none\n'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:1:7', /a name such as www-servers\/nginx/],
  ['an unknown dependency', recipe('dependencies: {link: [dev-libs/opnssl]}'), 'dependency-unsatisfied', 'pkgs/nginx/pkg.yaml:4:23', /did you mean "dev-libs\/openssl"/],
  ['a dependency that is no atom', recipe('dependencies: {link: [-lssl]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:23', /expected a package such as/],
  ['an unknown version of a dependency', recipe('dependencies: {link: [dev-libs/openssl-9]}'), 'dependency-unsatisfied', 'pkgs/nginx/pkg.yaml:4:23', /expected 9, found 3\.0\.15/],
  ['a condition that is none', recipe('flags: {a: {when: newer}, b: {when: "<<1"}}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:37', /conditions such as/],
  ['an odd flag name', recipe('flags: {-x: {}}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:9', /a flag name such as http2/],
  ['two users with one uid', recipe('users: [{name: a, uid: 5}, {name: b, uid: 5}]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:43', /expected each uid once, found 5 for "a" and "b"/],
  ['a user twice', recipe('users: [{name: a, uid: 5}, {name: a, uid: 6}]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:35', /expected each name once, found "a" again/],
  ['root with another uid', recipe('users: [{name: root, uid: 5}]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:27', /expected root to have uid 0, found 5/],
  ['the uid of root for another user', recipe('users: [{name: toor, uid: 0}]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:27', /expected uid 0 for root alone, found it for "toor" \| the kernel/],
  ['an update that is no mapping', recipe('update: foo'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:9', /"update": expected a mapping, found "foo"/],
  ['an update without anything', recipe('update: {}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:9', /at least 1 entry/],
  ['a misspelt key of an update', recipe('update: {wach: [{debian: a}]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:10', /did you mean "watch"\?/],
  ['a place to watch that is no mapping', recipe('update: {watch: [nginx]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:18', /expected a mapping, found "nginx"/],
  ['a suite of nothing', recipe('update: {watch: [{suite: trixie}]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:18', /expected the key "debian", found suite/],
  ['a misspelt page to watch', recipe('update: {watch: [{htlm: "https://x.org/", pattern: "(?<version>.*)"}]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:19', /did you mean "html"\?/],
  ['a page without a pattern', recipe('update: {watch: [{html: "https://x.org/"}]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:18', /expected the key "pattern", found html/],
  ['a pattern without a version', recipe('update: {watch: [{html: "https://x.org/", pattern: "a-(.*)"}]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:52', /a regular expression with \(\?<version>…\) in it/],
  ['a stream that is no range', recipe('update: {streams: [~1.26, ">=1,<2", "=>1"]}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:37', /a range such as ~1\.26, found "=>1"/],
  ['a security that is a list', recipe('security: [nonsense]'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:11', /"security": expected a mapping, found a list/],
  ['a misspelt key of security', recipe('security: {prul: "pkg:generic/nginx"}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:12', /did you mean "purl"\?/],
  ['a package URL that is none', recipe('security: {purl: nginx}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:18', /a package URL such as pkg:generic\/nginx/],
  ['a licence with a newline', recipe('license: "MIT\\nX"'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:10', /an SPDX licence expression/],
  ['a misspelt value in a recipe', recipe('environment: {A: "{{ versoin }}"}'), 'definition-invalid', 'pkgs/nginx/pkg.yaml:4:19', /did you mean "version"/],
  ['a binary patch', { ...derivation('patches: {a.patch: x}'), 'pkgs/nginx/a.patch': 'diff --git a/x b/x\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n', }, 'input-invalid', 'pkgs/nginx/pkg.yaml:2:11', /found a binary patch/],
];

/** Processor time: the clock also counts what other programs do meanwhile. */
function cpuMilliseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

beforeAll(async () => {
  await readFiles({}).catch(() => undefined);
});

describe.each([
  ['container.yaml', container],
  ['pkg.yaml', packages],
])('%s', (_, mistakes) => {
  test.each(mistakes)('refuses %s at its place', async (_title, files, code, place, message) => {
    const started = process.cpuUsage();
    const [first = 'nothing', ...others] = await mistakesOf(project(files));
    expect(first).toMatch(message);
    expect(first.startsWith(`${code} ${place}`), first).toBe(true);
    expect(others).toEqual([]);
    expect(cpuMilliseconds(started)).toBeLessThan(1000);
  });
});

describe('links and odd files', () => {
  const outside = '/etc/hostname';

  test('a link out of the directory is refused as container.yaml, and none of its lines is shown', async () => {
    const directory = project();
    symlinkSync('/etc/passwd', join(directory, 'linked.yaml'));
    const { rmSync } = await import('node:fs');
    rmSync(join(directory, 'container.yaml'));
    symlinkSync('/etc/passwd', join(directory, 'container.yaml'));
    const [mistake] = await mistakesOf(directory);
    expect(mistake).toBe(
      'definition-invalid container.yaml:1:1 Cannot read "container.yaml": expected a file inside its directory, found a link that leaves it',
    );
  });

  test.each([
    ['a source', step('- sync: {src: x, dest: /x}'), 'x', 'container.yaml:4:15'],
    ['a recipe directory', step('- package: {type: embedded, path: x}'), 'x', 'container.yaml:4:35'],
    ['a patch', derivation('patches: {x.patch: y}'), 'pkgs/nginx/x.patch', 'pkgs/nginx/pkg.yaml:2:11'],
    ['a patch found by its name', {}, 'pkgs/nginx/patches/x.patch', 'pkgs/nginx/pkg.yaml:1:1'],
    ['a file of files/', {}, 'pkgs/nginx/files/x', 'pkgs/nginx/pkg.yaml:1:1'],
    ['a source file', recipe('source: {file: x}'), 'pkgs/nginx/x', 'pkgs/nginx/pkg.yaml:4:16'],
  ] as const)('%s that is a link out of the directory is refused', async (_title, files, link, place) => {
    const directory = project(files);
    mkdirSync(join(directory, link, '..'), { recursive: true });
    symlinkSync(link === 'x' && place.endsWith('35') ? '/etc' : outside, join(directory, link));
    const [mistake] = await mistakesOf(directory);
    expect(mistake).toMatch(/found a symbolic link that leaves the directory/);
    expect(mistake).toContain(place);
  });

  requires('mkfifo').test.each(['patches', 'files'])('a pipe called %s is refused without waiting', async (name) => {
    const directory = project();
    spawnSync('mkfifo', [join(directory, 'pkgs/nginx', name)]);
    const mistakes = await mistakesOf(directory, { witness: createWitness() });
    expect(mistakes).toEqual([expect.stringMatching(`Cannot read "${name}": expected a readable directory`)]);
  });

  requires('mkfifo').test.each([
    ['a source', step('- sync: {src: x, dest: /x}'), 'x'],
    ['a patch', derivation('patches: {x: y}'), 'pkgs/nginx/x'],
    ['a source file', recipe('source: {file: x}'), 'pkgs/nginx/x'],
  ])('%s that is a pipe is refused without waiting', async (_title, files, path) => {
    const directory = project(files);
    spawnSync('mkfifo', [join(directory, path)]);
    expect(await mistakesOf(directory)).toEqual([expect.stringMatching(/found a device, a pipe, a socket/)]);
  });

  test('a source file of a terabyte of nothing is refused before it is read', async () => {
    const directory = project(recipe('source: {file: big}'));
    writeFileSync(join(directory, 'pkgs/nginx/big'), '');
    truncateSync(join(directory, 'pkgs/nginx/big'), 2 ** 40);
    expect(await mistakesOf(directory)).toEqual([
      expect.stringMatching(/pkg.yaml:4:16 .*expected at most 2147483648 bytes/),
    ]);
  });

  test('a link that stays inside is followed', async () => {
    const directory = project({ 'real.conf': 'x', ...step('- sync: {src: ./link, dest: /etc/}') });
    symlinkSync('real.conf', join(directory, 'link'));
    expect(await mistakesOf(directory)).toEqual([]);
  });

  test('a directory in the place of a file is refused', async () => {
    const directory = project(derivation('patches: {x.patch: y}'));
    mkdirSync(join(directory, 'pkgs/nginx/x.patch'));
    expect(await mistakesOf(directory)).toEqual([expect.stringMatching(/expected a file, found a directory/)]);
  });

  test('a directory with directories in it wants a word about recursive', async () => {
    const directory = project({ ...step('- sync: {src: tree, dest: /x}'), 'tree/inner/file': 'x' });
    expect(await mistakesOf(directory)).toEqual([expect.stringMatching(/container.yaml:4:9 .*expected "recursive"/)]);
    writeFileSync(join(directory, 'container.yaml'), `${HEAD}- sync: {src: tree, dest: /x, recursive: no}\n`);
    expect(await mistakesOf(directory)).toEqual([]);
  });
});

describe('repositories', () => {
  test('a recipe whose name is not where it lies is refused', async () => {
    const mistakes = await mistakesOf(
      project({
        'recipes/a/b/pkg.yaml': 'name: a/c\nversion: 1\nclass: none\n',
        ...step('- package: {type: repository, name: a/b}'),
      }),
    );
    expect(mistakes).toEqual([expect.stringMatching(/recipes\/a\/b\/pkg.yaml:1:7 .*expected "a\/b"/)]);
  });

  test('a name in two repositories is ambiguous', async () => {
    const files = Object.fromEntries(
      ['repository.yaml', 'dev-libs/openssl/pkg.yaml', 'sys-apps/baselayout/pkg.yaml'].map((path) => [
        `team/${path}`,
        '',
      ]),
    );
    const directory = project({ ...files, ...step('- package: {type: repository, name: dev-libs/openssl}') });
    const { readFileSync } = await import('node:fs');
    const main = readFileSync(join(directory, 'recipes/repository.yaml'), 'utf8');
    writeFileSync(join(directory, 'team/repository.yaml'), main.replace('name: main', 'name: team'));
    const options = { repositories: ['main:recipes', 'team:team'] };
    expect(await mistakesOf(directory, options)).toEqual([expect.stringMatching(/found it in main and team/)]);
  });

  test('a repository under another name than its own is refused', async () => {
    const mistakes = await mistakesOf(project(), { repositories: ['team:recipes'] });
    expect(mistakes).toEqual([
      expect.stringMatching(/^configuration-invalid .*expected the name "team", found "main"/),
    ]);
  });

  test('a version that the lock pins and the recipe lacks asks for a new lock', async () => {
    const pinnedVersions = { 'dev-libs/openssl': '1.0' };
    expect(await mistakesOf(project(), { pinnedVersions })).toEqual([
      expect.stringMatching(/^lock-outdated .*found 3\.0\.15 \| buildit lock dev-libs\/openssl/),
    ]);
  });

  test('two packages that need different versions of a third are told apart', async () => {
    const needs = (name: string, atom: string) =>
      `name: a/${name}\nversion: 1\nclass: make\ndependencies: {link: [${atom}]}\n`;
    const directory = project({
      ...step('- package: {type: repository, name: a/x}\n- package: {type: repository, name: a/y}'),
      'recipes/a/x/pkg.yaml': needs('x', 'www-servers/nginx-1.22.1'),
      'recipes/a/y/pkg.yaml': needs('y', 'www-servers/nginx-1.26.3'),
    });
    expect(await mistakesOf(directory)).toEqual([
      expect.stringMatching(/^dependency-unsatisfied .*a\/y needs 1\.26\.3, a\/x needs 1\.22\.1/),
    ]);
  });
});
