import { expect, it } from 'vitest';
import { json } from '../../../src/cli/install/formats/json.js';
import { toml } from '../../../src/cli/install/formats/toml.js';
import { yaml } from '../../../src/cli/install/formats/yaml.js';
import { type Merge, mergeServer, readServers, removeServer } from '../../../src/cli/install/merge-server.js';

const entry = { command: 'npx', args: ['-y', 'agent-runtime-mcp'] };
const merge: Merge = {
  file: '/c/mcp.json',
  format: json,
  serversPath: ['mcpServers'],
  name: 'agent-runtime',
  entry,
};

it.each(['', '  \n', '{}', '{\n}\n', '\uFEFF'])('fills an empty file (%j)', (text) => {
  const merged = mergeServer(text, merge);
  expect(merged.status).toBe('added');
  const bare = merged.text.replace('\uFEFF', '');
  expect(JSON.parse(bare)).toEqual({ mcpServers: { 'agent-runtime': entry } });
  expect(bare).toMatch(/^\{\n {2}"mcpServers": \{\n[\s\S]*\}\n$/);
});

it('keeps everything else, in its order, and the form of the file', () => {
  const text = '{\n\t"theme": "dark",\n\t"mcpServers": {\n\t\t"memory": {"command": "m"}\n\t},\n\t"zoom": 1.5\n}';
  const merged = mergeServer(text, merge);
  expect(JSON.parse(merged.text)).toEqual({
    theme: 'dark',
    mcpServers: { memory: { command: 'm' }, 'agent-runtime': entry },
    zoom: 1.5,
  });
  expect(Object.keys(JSON.parse(merged.text))).toEqual(['theme', 'mcpServers', 'zoom']);
  expect(merged.text).toMatch(/^\{\n\t"theme": "dark",\n\t"mcpServers": \{\n\t\t"memory"/);
  expect(merged.text.endsWith('}')).toBe(true);
});

it('keeps line ends, a byte order mark, four spaces, and a file of one line', () => {
  const windows = mergeServer('\uFEFF{\r\n    "a": 1\r\n}\r\n', merge).text;
  expect(windows.startsWith('\uFEFF{\r\n    "a": 1,\r\n    "mcpServers"')).toBe(true);
  expect(windows.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(windows.endsWith('}\r\n')).toBe(true);
  expect(mergeServer('{"a":1}', merge).text).toBe(`{"a":1,"mcpServers":{"agent-runtime":${JSON.stringify(entry)}}}`);
});

it('changes nothing the second time', () => {
  const once = mergeServer('{\n  "a": 1\n}\n', merge).text;
  expect(mergeServer(once, merge)).toEqual({ text: once, status: 'unchanged' });
});

it('updates its own entry and keeps what the user has added to it', () => {
  const text = JSON.stringify({
    mcpServers: { 'agent-runtime': { command: '/old/node', args: ['x'], env: { KEY: 'v', A: '1' }, timeout: 600000 } },
  });
  const merged = mergeServer(text, { ...merge, entry: { ...entry, env: { A: '2' } } });
  expect(merged.status).toBe('updated');
  expect(JSON.parse(merged.text).mcpServers['agent-runtime']).toEqual({
    ...entry,
    env: { KEY: 'v', A: '2' },
    timeout: 600000,
  });
});

it.each([
  ['{"mcpServers": {', 'cannot be read: line 1, column 17: a closing brace is expected'],
  ['{\n  "a": 1,,\n}', 'cannot be read: line 2, column 10: a name in double quotes is expected'],
  ['[]', 'holds a value, but no names'],
  ['"text"', 'holds a value, but no names'],
  // The entry that would be changed is not the one that is in force.
  ['{"mcpServers": {}, "mcpServers": {"agent-runtime": {"command": "x"}}}', 'form that cannot be changed in place'],
  ['{"mcpServers": []}', '"mcpServers", but it is not an object'],
  ['{"mcpServers": {"agent-runtime": "x"}}', 'another kind of server'],
  ['{"mcpServers": {"agent-runtime": {"url": "https://example.com"}}}', 'another kind of server'],
])('refuses %s, naming the file', (text, message) => {
  expect(() => mergeServer(text, merge)).toThrow(message);
  expect(() => mergeServer(text, merge)).toThrow('/c/mcp.json');
  expect(() => mergeServer(text, merge)).toThrow(expect.objectContaining({ code: 'invalid' }));
});

it('keeps a key named __proto__', () => {
  const merged = mergeServer('{"__proto__": {"x": 1}}', merge);
  expect(merged.text).toContain('"__proto__": {"x": 1}');
});

it('keeps the comments, the numbers and the form of the other entries', () => {
  const text = `{
  // what I like
  "zoom": 12345678901234567890, "speed": 1.0e3,
  "mcpServers": {
    "memory": {"command": "m"}, // why memory
    /* and */ "files": { "command": "f" } // why files
    // "old": {}
  },
}
`;
  const { text: merged } = mergeServer(text, merge);
  expect(merged).toBe(
    text.replace('{ "command": "f" } //', '{ "command": "f" }, //').replace(
      '// "old": {}\n',
      `// "old": {}
    "agent-runtime": {
      "command": "npx",
      "args": [
        "-y",
        "agent-runtime-mcp"
      ]
    }\n`,
    ),
  );
  expect(removeServer(merged, merge).text).toBe(text);
});

it('changes one value of its entry without the rest of the entry', () => {
  const text =
    '{ "mcpServers": {\n "agent-runtime": { "command": "old", /* mine */ "args": [ ], "env": {"A":"1"} } } } // end';
  const merged = mergeServer(text, { ...merge, entry: { command: 'npx', args: [], env: { B: '2' } } });
  expect(merged).toEqual({
    status: 'updated',
    text: text.replace('"old"', '"npx"').replace('{"A":"1"}', '{"A":"1","B":"2"}'),
  });
});

it('adds the items that a list lacks, by their id', () => {
  const listItems = { path: ['inputs'], items: [{ id: 'key', type: 'promptString' }] };
  const text = '{\n  "inputs": [\n    { "id": "other" }\n  ]\n}\n';
  const { text: merged } = mergeServer(text, { ...merge, listItems });
  expect(JSON.parse(merged).inputs.map(({ id }: { id: string }) => id)).toEqual(['other', 'key']);
  expect(mergeServer(merged, { ...merge, listItems }).status).toBe('unchanged');
});

it('starts a new entry with defaults, which the user may change', () => {
  const withDefaults = { ...merge, defaults: { enabled: true } };
  const { text } = mergeServer('', withDefaults);
  expect(JSON.parse(text).mcpServers['agent-runtime'].enabled).toBe(true);
  const off = text.replace('"enabled": true', '"enabled": false');
  expect(mergeServer(off, withDefaults)).toEqual({ text: off, status: 'unchanged' });
});

const codex: Merge = {
  file: '/c/config.toml',
  format: toml,
  serversPath: ['mcp_servers'],
  name: 'agent-runtime',
  entry: { ...entry, env: { A: 'x "y"' } },
  defaults: { startup_timeout_sec: 60 },
};

const tomlBlock = `[mcp_servers.agent-runtime]
command = "npx"
args = ["-y", "agent-runtime-mcp"]
startup_timeout_sec = 60

[mcp_servers.agent-runtime.env]
A = "x \\"y\\""
`;

it.each([
  ['empty', '', ''],
  [
    'with comments, odd numbers and dates',
    '# mine\nbig = 12345678901234567890 # n\nf = 1.0e3\nd = 1979-05-27T07:32:00Z\n',
    '\n',
  ],
  ['with other servers', '[mcp_servers.other]\ncommand = "x" # keep\nargs = [\n  "a", # one\n]\n', '\n'],
  ['with dotted keys', 'mcp_servers.other.command = "x"\n\n[tui]\ntheme = "dark"\n', '\n'],
])('appends tables to TOML that is %s, and takes them away again', (_, text, gap) => {
  const merged = mergeServer(text, codex);
  expect(merged).toEqual({ status: 'added', text: `${text}${gap}${tomlBlock}` });
  expect(mergeServer(merged.text, codex).status).toBe('unchanged');
  expect(removeServer(merged.text, codex)).toEqual({ status: 'removed', text });
});

it('keeps the line ends and the byte order mark of TOML, and adds a missing line end', () => {
  const { text } = mergeServer("\uFEFFmodel = 'a'\r\n[tui]\r\nx = 1", codex);
  expect(text.startsWith("\uFEFFmodel = 'a'\r\n[tui]\r\nx = 1\r\n\r\n[mcp_servers.agent-runtime]\r\n")).toBe(true);
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
});

it('updates single values of a TOML entry, and keeps those of the user', () => {
  const text = `[mcp_servers.agent-runtime] # mine
command = "old" # c
args = []
enabled = false
[mcp_servers.agent-runtime.env]
KEY = "v" # secret
[mcp_servers.agent-runtime.tools.x]
approval_mode = "approve"

# about tui
[tui]
x = 1
`;
  const { text: merged, status } = mergeServer(text, codex);
  expect(status).toBe('updated');
  expect(merged).toBe(
    text
      .replace('"old"', '"npx"')
      .replace('args = []', 'args = ["-y", "agent-runtime-mcp"]')
      .replace('# secret\n', '# secret\nA = "x \\"y\\""\n'),
  );
  expect(removeServer(merged, codex).text).toBe('\n# about tui\n[tui]\nx = 1\n');
});

it('adds to TOML whose servers are in an inline table, and takes it away again', () => {
  const text = 'mcp_servers = { other = { command = "x" } } # mine\n';
  const { text: merged } = mergeServer(text, codex);
  expect(readServers(merged, codex)['agent-runtime']).toEqual({ ...codex.entry, startup_timeout_sec: 60 });
  expect(merged).toMatch(/^mcp_servers = \{ other = \{ command = "x" \}, agent-runtime = \{.*\} \} # mine\n$/);
  expect(removeServer(merged, codex).text).toBe(text);
});

it('refuses TOML that is broken, and TOML in which no table can be added', () => {
  expect(() => mergeServer('a = 1\na = 2\n', codex)).toThrow(/cannot be read: line 2, column 1/);
  expect(() => mergeServer('[[mcp_servers]]\nx = 1\n', codex)).toThrow('it is not an object');
});

const goose: Merge = {
  file: '/c/config.yaml',
  format: yaml,
  serversPath: ['extensions'],
  name: 'agent-runtime',
  entry: { cmd: 'npx', args: ['-y', 'agent-runtime-mcp'], envs: {} },
  defaults: { enabled: true },
};

it.each([
  [
    'with comments and other extensions',
    '# g\nGOOSE_MODEL: gpt   # model\nextensions:\n  # dev\n  developer:\n    enabled: true   # on\n    args: [ "a",   \'b\' ]\nlong: "a b"\n',
  ],
  ['of four spaces', 'a:\n    - x\nextensions:\n    developer:\n        enabled: true\n'],
  ['with Windows line ends', 'a: 1\r\nextensions:\r\n  d:\r\n    e: 1\r\nz: 2\r\n'],
])('adds lines to YAML %s, and takes them away again', (_, text) => {
  const { text: merged, status } = mergeServer(text, goose);
  expect(status).toBe('added');
  const rows = merged.split('\n');
  const block = rows.splice(
    rows.findIndex((row) => row.includes('agent-runtime:')),
    7,
  );
  expect(rows.join('\n')).toBe(text);
  expect(block.map((row) => row.trim())).toEqual([
    'agent-runtime:',
    'cmd: npx',
    'args:',
    '- -y',
    '- agent-runtime-mcp',
    'envs: {}',
    'enabled: true',
  ]);
  expect(readServers(merged, goose)['agent-runtime']).toEqual({ ...goose.entry, enabled: true });
  expect(mergeServer(merged, goose)).toEqual({ text: merged, status: 'unchanged' });
  expect(removeServer(merged, goose)).toEqual({ text, status: 'removed' });
});

it.each(['', '# only a comment\n', 'extensions:\n', 'extensions:\na: 1\n', 'a: 1', 'a: 1\n'])(
  'adds the first extension to YAML (%j)',
  (text) => {
    const { text: merged } = mergeServer(text, goose);
    expect(readServers(merged, goose)).toEqual({ 'agent-runtime': { ...goose.entry, enabled: true } });
    expect(merged.replace(/ *agent-runtime:[\s\S]*?enabled: true\n/, '')).toContain(text.trim());
    expect(readServers(removeServer(merged, goose).text, goose)).toEqual({});
  },
);

it('updates single values of a YAML entry', () => {
  const text =
    'extensions:\n  agent-runtime:\n    cmd: old # c\n    args:\n      - x\n    enabled: false\n    envs: {}\n';
  const { text: merged } = mergeServer(text, goose);
  expect(readServers(merged, goose)['agent-runtime']).toEqual({ ...goose.entry, enabled: false });
  expect(merged).toContain('cmd: "npx" # c\n');
});

it.each([
  ['extensions: {}\nz: 1\n', 'extensions:\n  agent-runtime:\n'],
  [
    'extensions: { developer: { enabled: true } } # mine\n',
    'extensions: { developer: { enabled: true }, "agent-runtime": {',
  ],
  ['{}\n', '{"extensions": {'],
])('adds to YAML in flow form, and takes it away again: %j', (text, start) => {
  const { text: merged } = mergeServer(text, goose);
  expect(merged.startsWith(start)).toBe(true);
  expect(readServers(merged, goose)['agent-runtime']).toEqual({ ...goose.entry, enabled: true });
  const removed = removeServer(merged, goose).text;
  expect(readServers(removed, goose)).toEqual(readServers(text, goose));
  for (const rest of ['# mine', 'z: 1']) expect(removed.includes(rest)).toBe(text.includes(rest));
});

it('refuses YAML that is broken', () => {
  expect(() => mergeServer('a: [\n', goose)).toThrow(/cannot be read: line/);
});
