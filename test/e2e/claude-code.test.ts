import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { runCli } from '../cli/run-cli.js';
import { fetchPackage } from '../support/other-node.js';
import { mainEntry, projectRoot } from '../support/paths.js';
import { endProcessesOf } from '../support/processes-of.js';
import { tempDir } from '../support/temp-dir.js';
import { testRuntime } from '../support/test-runtime.js';

const found = fetchPackage('@anthropic-ai/claude-code-linux-x64', '2.1.330', 'Skipped with Claude Code');

interface Asked {
  tools: string[];
  /** What the messages since the model's own last one say. */
  last: string;
}

/** Anthropic's Messages API, streamed, by a model that calls one tool and then repeats what it was told. */
async function startModel(tool: string, input: object = {}): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => {
      body += data.toString();
    });
    request.on('end', () => {
      if (!/^\/v1\/messages(\?|$)/.test(request.url ?? '')) return response.writeHead(404).end('{}');
      const given = JSON.parse(body) as { model: string; tools?: { name: string }[]; messages: { role: string }[] };
      const tools = (given.tools ?? []).map(({ name }) => name);
      // The client may have a remark of its own behind what a tool returned.
      const own = given.messages.findLastIndex(({ role }) => role === 'assistant');
      const last = JSON.stringify(given.messages.slice(own + 1));
      asked.push({ tools, last });
      const isCall = tools.includes(tool) && !last.includes('tool_result');
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of isCall ? toolCall(given.model, tool, input) : words(given.model, last)) {
        response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      }
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

type StreamEvent = { type: string } & Record<string, unknown>;

function message(model: string, block: object, delta: object, reason: string): StreamEvent[] {
  const usage = { input_tokens: 10, output_tokens: 1 };
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model, content: [], stop_reason: null, usage };
  return [
    { type: 'message_start', message: head },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: reason }, usage: { output_tokens: 5 } },
    { type: 'message_stop' },
  ];
}

const toolCall = (model: string, name: string, input: object) =>
  message(
    model,
    { type: 'tool_use', id: 'toolu_1', name, input: {} },
    { type: 'input_json_delta', partial_json: JSON.stringify(input) },
    'tool_use',
  );
const words = (model: string, text: string) =>
  message(model, { type: 'text', text: '' }, { type: 'text_delta', text }, 'end_turn');

it.skipIf(!found)(
  'Claude Code speaks 2026-07-28 with the server, and its model gets what a tool returns',
  async () => {
    const home = realpathSync(tempDir());
    const project = realpathSync(tempDir());
    const wire = join(home, 'wire');
    const told = join(home, 'told');
    const model = await startModel('mcp__agent-runtime__runtime_status');
    const config = join(home, 'mcp.json');
    // What the client says is kept on its way.
    const server = { command: 'sh', args: ['-c', `tee ${wire} | exec ${process.execPath} ${mainEntry}`] };
    writeFileSync(config, JSON.stringify({ mcpServers: { 'agent-runtime': server } }));
    const args = ['-p', 'What is going on?', '--mcp-config', config, '--strict-mcp-config', '--debug-file', told];
    const env = {
      HOME: home,
      PATH: '/usr/bin:/bin',
      ANTHROPIC_BASE_URL: model.url,
      ANTHROPIC_API_KEY: 'sk-ant-of-nobody',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    };
    const running = promisify(execFile)(
      join(found ?? '', 'claude'),
      [...args, '--allowedTools', 'mcp__agent-runtime__runtime_status', '--output-format', 'json'],
      { cwd: project, env, timeout: 250_000 },
    );
    running.child.stdin?.end();
    const { stdout } = await running;
    const { result, session_id: conversation } = JSON.parse(stdout);
    expect(result).toContain('Call create_goal to begin.');
    expect(result).toContain(`claude:${conversation}`);
    expect(result).toContain(project);
    // It searches tools: those that are always at hand have their schemas in the request, and the rest are but named.
    const ours = model.asked[0]?.tools.filter((name) => name.startsWith('mcp__agent-runtime__')) ?? [];
    expect(ours).toHaveLength(5);

    const said = readFileSync(wire, 'utf8');
    expect(said).toContain('"io.modelcontextprotocol/protocolVersion":"2026-07-28"');
    // It waits three seconds for the first answer of a server that it starts, then goes on as with an older one.
    const wasSlow = readFileSync(told, 'utf8').includes('stdio server answered the server/discover probe after ');
    expect(said.includes('"method":"subscriptions/listen"')).toBe(!wasSlow);
    expect(said.includes('"method":"initialize"')).toBe(wasSlow);
    const { db } = await testRuntime({ home, env: { AGENT_RUNTIME_DATA_DIR: join(home, '.claude', 'agent_runtime') } });
    expect(await db.all('select client_name, project from sessions')).toEqual([
      { client_name: 'claude-code', project },
    ]);
  },
  120_000,
);

it.skipIf(!found)(
  'Claude Code with the plugin writes no file that another session has reserved, and its model reads why',
  async () => {
    const home = realpathSync(tempDir());
    const project = realpathSync(tempDir());
    const plugin = tempDir();
    for (const name of ['.claude-plugin', 'plugin']) {
      cpSync(join(projectRoot, name), join(plugin, name), { recursive: true });
    }
    symlinkSync(dirname(mainEntry), join(plugin, 'dist'));
    const file = join(project, 'parser.ts');
    // What the client itself says of its way, for a failure.
    const told = join(home, 'told');
    onTestFinished(() => endProcessesOf(home));
    // The plugin starts its server by npx: here it is this build.
    const bin = join(home, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'npx'), `#!/bin/sh\nexec "${process.execPath}" "${mainEntry}"\n`, { mode: 0o755 });
    const own = { CLAUDE_CODE_SESSION_ID: 'ada', CLAUDE_PROJECT_DIR: project };
    const reserved = '{"globs": ["*.ts"], "reason": "The parser", "lease_seconds": 3600}';
    await runCli(['tool', 'reserve_paths', '--input', reserved], { home, env: own });
    const write = async () => {
      const model = await startModel('Write', { file_path: file, content: 'overwritten' });
      const ended = promisify(execFile)(
        join(found ?? '', 'claude'),
        ['-p', 'Go on.', '--plugin-dir', plugin, '--permission-mode', 'acceptEdits', '--debug-file', told],
        {
          cwd: project,
          timeout: 250_000,
          env: {
            HOME: home,
            PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
            CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
            ANTHROPIC_API_KEY: 'sk-ant-guard-0123456789',
            ANTHROPIC_BASE_URL: model.url,
          },
        },
      );
      ended.child.stdin?.end();
      await ended.catch((error) => {
        throw new Error(`${error.message}\n${readFileSync(told, 'utf8').slice(-3_000)}`);
      });
      return model.asked.map(({ last }) => last).find((last) => last.includes('tool_result'));
    };
    expect(await write()).toMatch(/parser\.ts is reserved \(\*\.ts\) by claude:ada until .*send_message/);
    expect(existsSync(file)).toBe(false);
    await runCli(['tool', 'release_paths'], { home, env: own });
    await write();
    expect(readFileSync(file, 'utf8')).toBe('overwritten');
  },
  250_000,
);
